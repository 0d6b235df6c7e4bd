// One run from its first step to the last word.

import { BatchWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Engine, Planted } from './engine.ts';
import { endInQuiet } from './quiet.ts';
import type { RunConfig, Step } from './run-config.ts';
import { takeStep } from './schedule.ts';
import { World } from './world.ts';

export interface Run {
  readonly world: World;
  /** What broke, undefined if nothing did: a Violation, or whatever the code threw that it never may. */
  readonly failure: Error | undefined;
  /** Steps taken until then. */
  readonly taken: number;
}

/** Leaves the table empty. */
export async function runModel(
  engine: Engine,
  config: RunConfig,
  steps: readonly Step[],
  planted?: Planted,
): Promise<Run> {
  const world = new World(engine, config, planted);
  let taken = 0;
  try {
    for (const step of steps) {
      taken++;
      await takeStep(world, step);
    }
    await endInQuiet(world);
    return { world, failure: undefined, taken };
  } catch (error) {
    return { world, failure: error instanceof Error ? error : new Error(String(error)), taken };
  } finally {
    await clear(world);
  }
}

async function clear(world: World): Promise<void> {
  await world.refresh();
  const items = [...world.view.items.values()];
  for (let from = 0; from < items.length; from += 25) {
    const requests = items.slice(from, from + 25).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
    await world.engine.client.send(new BatchWriteCommand({ RequestItems: { [world.engine.tableName]: requests } }));
  }
}
