// A front door that is told to go lets its clients go one by one, and reports the end of each.

import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startBroker, startRig } from './rig.ts';

let broker: Awaited<ReturnType<typeof startBroker>>;
let rig: Rig;
beforeEach(async () => {
  broker = await startBroker();
  rig = await startRig({ brokerPort: broker.port });
});
afterEach(async () => {
  await rig.close();
  await broker.close();
});

test('draining takes nobody new, ends everybody one after the other, and tells of each', async () => {
  const join = (clientId: string) =>
    connectAsync(
      `mqtt://127.0.0.1:${rig.port}`,
      { clientId, username: 'alice', password: 'x', reconnectPeriod: 0 },
      false,
    );
  const clients = await Promise.all(['a', 'b', 'c', 'd'].map(join));
  let left = clients.length;
  const leftAtEachEnd: number[] = [];
  for (const client of clients)
    client.on('close', () => {
      left -= 1;
      leftAtEachEnd.push(rig.door.connections());
    });
  await rig.door.drain(800);
  expect(rig.door.connections()).toBe(0);
  const ended = rig.reports.filter((report) => report.type === 'door.disconnected').map((report) => report.clientId);
  expect([...ended].sort()).toEqual(['a', 'b', 'c', 'd']);
  await expect(join('late')).rejects.toThrow();
  // Spread over the time: when the first had gone, others were still there.
  expect(leftAtEachEnd[0]).toBeGreaterThan(0);
  expect(left).toBe(0);
});
