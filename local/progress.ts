// What a start is at, told once a second: one that is quick tells nothing.

export interface Progress {
  /** Kept until the next second. */
  note(sentence: string): void;
  end(): void;
}

const everyMs = 1_000;

export function startProgress(tell: (sentence: string) => void): Progress {
  let latest: string | undefined;
  const timer = setInterval(() => {
    if (latest !== undefined) tell(latest);
  }, everyMs);
  return {
    note(sentence) {
      latest = sentence;
    },
    end: () => clearInterval(timer),
  };
}
