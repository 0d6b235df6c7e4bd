// What nobody foresaw, a chunk that could not be loaded among it: said on the page, with a way to begin again.

import { Component, type ReactNode } from 'react';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { problemOf } from '../state/problems.ts';

interface State {
  readonly error: unknown;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <ProblemAlert problem={problemOf(this.state.error)} what="this page" onRetry={() => location.reload()} />;
  }
}
