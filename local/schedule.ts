// Timers of the local run. Everything here that waits takes one of these, so that a test can let the time pass by
// itself instead of sleeping.

/** Runs `callback` after `delayMs`, once; the answer cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** The longest delay that setTimeout keeps; beyond it Node would fire at once. */
const longestDelayMs = 2_147_483_647;

/** Real timers that never keep the process alive by themselves. */
export const realSchedule: Schedule = (callback, delayMs) => {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const chunkMs = Math.min(leftMs, longestDelayMs);
    timer = setTimeout(() => (leftMs > chunkMs ? arm(leftMs - chunkMs) : callback()), chunkMs).unref();
  };
  arm(Math.max(0, delayMs));
  return () => clearTimeout(timer);
};
