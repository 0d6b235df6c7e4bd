// Lines of the log about refused CONNECTs. Strangers cause them, so a second gets a few: the first ones, and the next
// line after those says how many were left out. Metrics count all of them.
import type { Clock } from '../shared/ports/clock.ts';
import type { Log } from '../shared/ports/log.ts';

export const refusalLinesPerSecond = 10;

export function createRefusalLog(log: Log, clock: Clock): (fields: Readonly<Record<string, unknown>>) => void {
  let second = Number.NaN;
  let lines = 0;
  let leftOut = 0;
  return (fields) => {
    const now = Math.floor(clock.now() / 1_000);
    if (now !== second) {
      second = now;
      lines = 0;
    }
    if (lines >= refusalLinesPerSecond) {
      leftOut++;
      return;
    }
    lines++;
    log.info('a connect was rejected', leftOut === 0 ? fields : { ...fields, leftOut });
    leftOut = 0;
  };
}
