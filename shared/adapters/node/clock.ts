import { setTimeout as wait } from 'node:timers/promises';
import { ms } from '../../domain/time.ts';
import type { Clock, Pause } from '../../ports/clock.ts';

export const systemClock: Clock = { now: () => ms(Date.now()) };

export const realPause: Pause = (milliseconds) => wait(milliseconds);
