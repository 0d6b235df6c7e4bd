// `npm run test:soak`: the model on random seeds until its time is over. Each batch of schedules has a seed of its own,
// which is printed, so that a red one can be had again with MODEL_SEED.

import { Reached } from './hard-states.ts';
import { explain, trySchedules } from './try-schedules.ts';

const soakSeconds = Number(process.env.SOAK_SECONDS ?? 600);
const batch = Number(process.env.MODEL_RUNS ?? 500);
if (!Number.isFinite(soakSeconds) || soakSeconds <= 0 || !Number.isInteger(batch) || batch <= 0)
  throw new Error('SOAK_SECONDS is a number above 0, MODEL_RUNS a whole number above 0');

const endsAt = performance.now() + soakSeconds * 1_000;
const reached = new Reached();
let schedules = 0;
let requests = 0;
let seed = process.env.MODEL_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env.MODEL_SEED);

do {
  console.info(`seed ${seed}, ${batch} schedules`);
  const tried = await trySchedules(seed, batch);
  schedules += tried.runs;
  requests += tried.requests;
  reached.add(tried.reached);
  if (tried.failing !== undefined) {
    console.error(await explain(tried, seed));
    process.exitCode = 1;
    break;
  }
  seed = (seed + 1) % 2 ** 31;
} while (performance.now() < endsAt);

console.info(`${schedules} schedules, ${requests} requests`, Object.fromEntries(reached.counts));
