// Lines of admissions within a process: one for each username, and one for each client id of it. A few admissions of a
// line are decided at a time, in order of arrival. Without the line all of them would find the same room, write, lose the
// race and undo what they wrote. In line, a CONNECT that finds the roster full only reads. Clients join a line after their
// password is verified, so no line delays another username (S24).

/**
 * `waited`: the work had to wait, so what was known at its arrival may not hold any more. Undefined, with nothing done,
 * where the line is full or the client has left.
 */
export type InLine = <T>(
  key: string,
  left: AbortSignal | undefined,
  work: (waited: boolean) => Promise<T>,
) => Promise<T | undefined>;

export interface LineBounds {
  /** Works of one key under way at the same time. */
  readonly atOnce: number;
  /** Works of one key that wait. */
  readonly maxWaiting: number;
}

type Waiter = (begins: boolean) => void;

interface Line {
  going: number;
  /** In order of arrival. */
  readonly waiting: Set<Waiter>;
}

export function createLines({ atOnce, maxWaiting }: LineBounds): InLine {
  const lines = new Map<string, Line>();

  function waitForTurn(line: Line, left: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const answer: Waiter = (begins) => {
        line.waiting.delete(answer);
        left?.removeEventListener('abort', leave);
        resolve(begins);
      };
      const leave = (): void => answer(false);
      left?.addEventListener('abort', leave);
      line.waiting.add(answer);
    });
  }

  return async (key, left, work) => {
    if (left?.aborted === true) return undefined;
    const line = lines.get(key) ?? { going: 0, waiting: new Set() };
    lines.set(key, line);
    const waits = line.going >= atOnce;
    if (waits && line.waiting.size >= maxWaiting) return undefined;
    if (!waits) line.going++;
    else if (!(await waitForTurn(line, left))) return undefined;
    try {
      return await work(waits);
    } finally {
      const [next] = line.waiting;
      // The turn passes on without ever being free: a newcomer cannot take it in between.
      if (next !== undefined) next(true);
      else if (--line.going === 0) lines.delete(key);
    }
  };
}
