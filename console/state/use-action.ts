// One change that a person asked for: it runs once at a time, and a failure is kept to be shown where it was asked for.

import { useState } from 'react';
import type { ApiProblem } from '../client/problem.ts';
import { problemOf } from './problems.ts';

export interface Action {
  readonly running: boolean;
  readonly problem: ApiProblem | undefined;
  run(work: () => Promise<void>): void;
  clear(): void;
}

export function useAction(): Action {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | undefined>();
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setRunning(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setRunning(false);
    }
  };
  return {
    running,
    problem,
    run: (work) => {
      if (!running) void attempt(work);
    },
    clear: () => setProblem(undefined),
  };
}
