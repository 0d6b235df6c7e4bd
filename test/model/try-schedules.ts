// Runs schedules until one breaks an invariant, and makes that one short enough to read.

import { createMemoryClient } from '../support/memory-client.ts';
import { drawSchedules } from './arbitrary.ts';
import type { Planted } from './engine.ts';
import { Reached } from './hard-states.ts';
import { type Run, runModel } from './run-model.ts';
import { type Failing, shorten } from './shorten.ts';

/** The same for everybody and every day, unless told; both are said in the failure. */
export const modelSeed = Number(process.env.MODEL_SEED ?? 20_261_114);
export const modelRuns = Number(process.env.MODEL_RUNS ?? 1_000);

export const isUsual = process.env.MODEL_SEED === undefined && process.env.MODEL_RUNS === undefined;

export interface Tried {
  readonly runs: number;
  readonly requests: number;
  readonly reached: Reached;
  readonly failing: Failing | undefined;
}

export function runInMemory(
  ...[config, steps, planted]: [Failing['config'], Failing['steps'], Planted?]
): Promise<Run> {
  return runModel({ client: createMemoryClient(), tableName: 'memory' }, config, steps, planted);
}

export async function trySchedules(seed: number, count: number, planted?: Planted): Promise<Tried> {
  const reached = new Reached();
  let requests = 0;
  let runs = 0;
  for (const { config, steps } of drawSchedules(seed, count)) {
    const run = await runInMemory(config, steps, planted);
    runs++;
    requests += run.world.steps;
    reached.add(run.world.reached);
    if (run.failure !== undefined) return { runs, requests, reached, failing: { config, steps, run } };
  }
  return { runs, requests, reached, failing: undefined };
}

/** What a person needs to see of it. */
export async function explain({ failing, runs }: Tried, seed: number): Promise<string> {
  if (failing === undefined) return 'nothing failed';
  const short = await shorten(failing, (config, steps) => runInMemory(config, steps));
  const { failure, world } = short.run;
  return [
    `MODEL_SEED=${seed}, run ${runs}: ${failure?.message ?? ''}`,
    JSON.stringify(short.config),
    JSON.stringify(short.steps),
    ...world.trace,
    failure?.name === 'Violation' ? '' : (failure?.stack ?? ''),
  ].join('\n');
}
