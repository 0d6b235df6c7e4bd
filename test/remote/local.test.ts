// The checks of a deployed stack, against the local product: through the front door, and straight to the broker. What
// they would say of AWS is only worth something if they say the right thing here.

import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Rig, startRig } from '../support/product.ts';
import { checks } from './checks.ts';
import { type Target, Trial } from './target.ts';

describe.each(['door', 'straight'] as const)('%s', (entry) => {
  let rig: Rig;
  let trial: Trial;

  beforeAll(async () => {
    rig = await startRig();
    const { product } = rig;
    const target: Target = {
      apiUrl: `http://127.0.0.1:${product.httpPort}`,
      token: 'local',
      entry,
      mqttUrl: () => `mqtt://127.0.0.1:${entry === 'door' ? product.mqttPort : product.brokerPort}`,
      patienceMs: 20_000,
      settled: async () => rig.advance(5),
    };
    trial = await Trial.begin(target);
  }, 60_000);
  afterAll(async () => {
    await trial?.end();
    await rig?.stop();
  });

  test.each(checks)('$statement: $guarantee', ({ run }) => run(trial), 90_000);
});
