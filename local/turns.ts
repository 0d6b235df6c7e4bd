// One at a time for each key, in order of arrival. Connections of one client id take turns: aedes keeps only one of
// two that register while a third is being closed, and leaves the other connected and unknown.

export interface Turns {
  /** Resolves when it is this caller's turn; the answer ends the turn, and may be called more than once. */
  take(key: string): Promise<() => void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(key) {
      const before = last.get(key);
      let end = (): void => undefined;
      const mine = new Promise<void>((resolve) => {
        end = () => {
          if (last.get(key) === mine) last.delete(key);
          resolve();
        };
      });
      last.set(key, mine);
      await before;
      return end;
    },
  };
}
