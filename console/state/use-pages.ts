// A list of the API, one page at a time. Going on and back costs one page read; so does refreshing.

import { useState } from 'react';
import type { ApiProblem } from '../client/problem.ts';
import type { Page } from '../client/types.ts';
import { useLoad } from './use-load.ts';

export interface Pages<T> {
  readonly items: readonly T[] | undefined;
  readonly problem: ApiProblem | undefined;
  readonly loading: boolean;
  readonly readAt: Date | undefined;
  /** From 1. */
  readonly pageIndex: number;
  readonly hasNext: boolean;
  goToPage(pageIndex: number): void;
  reload(): void;
}

interface Trail {
  readonly key: string;
  /** The cursor that each page begins after. */
  readonly cursors: readonly (string | undefined)[];
  readonly pageIndex: number;
}

export function usePages<T>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
): Pages<T> {
  const [stored, setTrail] = useState<Trail>({ key, cursors: [undefined], pageIndex: 1 });
  // Other filters begin at their first page.
  const trail = stored.key === key ? stored : { key, cursors: [undefined], pageIndex: 1 };
  const cursor = trail.cursors[trail.pageIndex - 1];
  const page = useLoad(`${key} ${cursor ?? ''}`, (signal) => load(cursor, signal));
  const nextCursor = page.data?.nextCursor;
  return {
    items: page.data?.items,
    problem: page.problem,
    loading: page.loading,
    readAt: page.readAt,
    pageIndex: trail.pageIndex,
    hasNext: nextCursor !== undefined,
    goToPage(pageIndex) {
      const known = trail.cursors.slice(0, trail.pageIndex);
      const cursors = nextCursor === undefined ? known : [...known, nextCursor];
      if (pageIndex >= 1 && pageIndex <= cursors.length) setTrail({ key, cursors, pageIndex });
    },
    reload: page.reload,
  };
}
