import { setTimeout as wait } from 'node:timers/promises';
import { ms } from '../../domain/time.ts';
import type { Clock, Pause, Schedule } from '../../ports/common/clock.ts';

export const systemClock: Clock = { now: () => ms(Date.now()) };

export const realPause: Pause = (milliseconds) => wait(milliseconds);

export const realSchedule: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
