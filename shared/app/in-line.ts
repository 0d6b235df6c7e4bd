// Admissions of one username, and of one client id, stand in line within a process: of a crowd that comes at once a few
// are decided at a time, in order of arrival. Otherwise all of them would find the same room and write, and nearly all
// would lose the race and take back what they wrote; in line, whoever comes when the roster is full reads that and writes
// nothing. Others' usernames do not wait, and who has no right password never stands in it.

/** `waited`: others went first, so what was known when it came may not hold any more. */
export type InLine = <T>(key: string, work: (waited: boolean) => Promise<T>) => Promise<T>;

interface Line {
  going: number;
  readonly waiting: (() => void)[];
}

/** `atOnce`: how many of one key go at a time. */
export function createLines(atOnce: number): InLine {
  const lines = new Map<string, Line>();
  return async (key, work) => {
    const line = lines.get(key) ?? { going: 0, waiting: [] };
    lines.set(key, line);
    const waits = line.going >= atOnce;
    if (!waits) line.going++;
    // Whoever is done hands its turn over: nobody who comes in between takes it.
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    try {
      return await work(waits);
    } finally {
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else if (--line.going === 0) lines.delete(key);
    }
  };
}
