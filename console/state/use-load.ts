// Something read from the API: loading, there, or failed. What is there stays while it is read again.

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ApiProblem } from '../client/problem.ts';
import { useSession } from '../session/use-session.ts';
import { problemOf } from './problems.ts';

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly loading: boolean;
  /** When `data` was read, by this machine's clock. */
  readonly readAt: Date | undefined;
  reload(): void;
}

interface State<T> {
  readonly key: string;
  readonly data?: T;
  readonly problem?: ApiProblem;
  readonly loading: boolean;
  readonly readAt?: Date;
}

/** `key` names what is read: another key is another thing, and nothing of the old one is shown for it. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const { generation } = useSession();
  const [round, setRound] = useState(0);
  const [state, setState] = useState<State<T>>({ key, loading: true });
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });

  // A new object for each reading, that of a new sign-in included.
  const reading = useMemo(() => ({ key, generation, round }), [key, generation, round]);
  useEffect(() => {
    const aborter = new AbortController();
    const { signal } = aborter;
    const begin = async (): Promise<void> => {
      setState((before) =>
        before.key === reading.key ? { ...before, loading: true } : { key: reading.key, loading: true },
      );
      try {
        const data = await latest.current(signal);
        if (!signal.aborted) setState({ key: reading.key, data, loading: false, readAt: new Date() });
      } catch (error) {
        if (!signal.aborted) setState((before) => ({ ...before, problem: problemOf(error), loading: false }));
      }
    };
    void begin();
    return () => aborter.abort();
  }, [reading]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const shown: State<T> = state.key === key ? state : { key, loading: true };
  const { data, problem, loading, readAt } = shown;
  return { data, problem, loading, readAt, reload };
}
