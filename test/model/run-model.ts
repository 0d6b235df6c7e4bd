// One run from its first step to the last word.

import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { endInQuiet } from './quiet.ts';
import type { RunConfig, Step } from './run-config.ts';
import { takeStep } from './schedule.ts';
import { type Engine, type Tamper, World } from './world.ts';

/** Throws a Violation, with the trace in its message. Leaves the table empty. */
export async function runModel(engine: Engine, config: RunConfig, steps: readonly Step[], tamper?: Tamper): Promise<World> {
  const world = new World(engine, config, tamper);
  try {
    for (const step of steps) await takeStep(world, step);
    await endInQuiet(world);
    return world;
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.trace.join('\n')}`;
    throw error;
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
