// The database is killed under load, and is started again: clients hear that the server is not available, never that a
// quota is exceeded, and nothing of it is recorded as that; afterwards every count is right (S17, I2, I7).

import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineOn } from '../support/engine-process.ts';
import { connectClient, type Outcome } from '../support/many-clients.ts';
import { cleanUp, makeFolder } from '../support/process.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';
import { until } from '../support/until.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ env: { DATA_DIR: makeFolder() } });
});
afterAll(async () => {
  await rig.stop();
  cleanUp();
});

const workers = 16;
const limit = 1_000;
const versions = [3, 4, 5] as const;
const unavailable: Readonly<Record<number, number>> = { 3: 0x03, 4: 0x03, 5: 0x88 };

const running = (): number | undefined => engineOn(rig.product.databaseEndpoint);

/** Twice in a row: the second start has a pause before it, long enough for everybody to notice. */
async function killEngineTwice(): Promise<void> {
  for (let kills = 0; kills < 2; kills++) {
    const pid = await until(() => running() ?? Promise.reject(new Error('the engine does not run')));
    process.kill(pid, 'SIGKILL');
    await until(() => expect(running()).not.toBe(pid));
  }
}

test('an engine that is killed under load: unavailable, never quota, and every count right afterwards', async () => {
  await rig.limit(limit);
  const open: Outcome[] = [];
  const refusals: Outcome[] = [];
  let loading = true;
  let next = 0;
  // Each goes on connecting; every third of the admitted leaves again, whether the database is there or not.
  const load = Array.from({ length: workers }, async () => {
    while (loading) {
      const n = next++;
      const version = versions[n % 3] ?? 5;
      const transport = n % 2 === 0 ? 'tcp' : 'tls';
      const outcome = await connectClient(rig.product, { version, transport, clientId: `c${n}` });
      if (outcome.code !== 0) refusals.push(outcome);
      else if (n % 3 === 0) await outcome.end(n % 2 === 0 ? 'disconnect' : 'lost');
      else if (open.length < limit / 4) open.push(outcome);
      else await outcome.end('disconnect');
      // A client that is refused does not come again within the same millisecond.
      if (outcome.code !== 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await until(() => expect(open.length).toBeGreaterThan(20));
  await killEngineTwice();
  await until(() => expect(refusals.length).toBeGreaterThan(10));
  // It comes back, and so do admissions.
  const refused = refusals.length;
  const after = await until(async () => {
    const outcome = await connectClient(rig.product, { version: 5, clientId: `after${next++}` });
    if (outcome.code !== 0) throw new Error(`still refused with ${outcome.code}`);
    return outcome;
  });
  open.push(after);
  loading = false;
  await Promise.all(load);

  expect(refused).toBeGreaterThan(10);
  expect(refusals.filter(({ code, spec }) => code !== unavailable[spec.version])).toEqual([]);
  const { body } = await rig.api('GET', '/deployments/demo/session-usage/alice');
  expect(body.rejections).toBeUndefined();
  // Attempts of which nobody could say what became of them go with their lease.
  rig.advance(41);
  const live = open.filter((outcome) => outcome.isOpen());
  expect(live).toHaveLength(open.length);
  await eventually(async () => {
    await rig.product.sweep();
    return (await rig.used('alice')) === live.length;
  }, 'those who are connected are counted, and nobody else');

  await Promise.all(open.map((outcome) => outcome.end('disconnect')));
  await eventually(async () => {
    await rig.product.sweep();
    return (await rig.used('alice')) === 0;
  }, 'all have gone');
}, 180_000);
