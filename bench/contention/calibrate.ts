// What one item takes in the model when many want it all the time: the figure that the model is set to.

import { Chance } from './chance.ts';
import { Database, type Write } from './database.ts';
import { defaults, type Parameters } from './parameters.ts';
import { type Process, Simulation } from './simulation.ts';

const actors = 200;
const seconds = 20;

/** Requests a second that got through, of actors that each repeat one request on the same item with full jitter. */
export function throughputOfOneItem(
  kind: 'transactions' | 'plain updates',
  seed: number,
  changed: Partial<Parameters> = {},
): number {
  const parameters = { ...defaults, ...changed };
  const simulation = new Simulation();
  const chance = new Chance(seed);
  const database = new Database(simulation, chance, parameters);
  const hot: Write = { partition: 'hot', item: 'hot' };
  let done = 0;

  function* actor(own: Write): Process<void> {
    let failures = 0;
    while (simulation.now < seconds * 1_000) {
      const answer = yield* kind === 'transactions' ? database.transact([hot, own]) : database.write(hot);
      if (answer === 'done') done++;
      failures = answer === 'done' ? 0 : failures + 1;
      yield chance.uniform() * Math.min(parameters.backoffCapMs, parameters.backoffBaseMs * 2 ** failures);
    }
  }

  for (let each = 0; each < actors; each++) simulation.spawn(actor({ partition: `own ${each}`, item: `own ${each}` }));
  simulation.run();
  return done / seconds;
}
