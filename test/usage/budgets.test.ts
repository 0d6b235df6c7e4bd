// A page of 50 usernames costs at most 60 read units, whatever the size of the deployment: by username and by prefix, by
// used and from a minimum on, with a limit, a whitelist, overrides and rejections to show. Metered from the items, in a
// process that knows the whitelist: it reads each list once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Meter, meter } from '../../bench/meter/meter.ts';
import { nameOf, usernamesAtRest, writeItems } from '../../bench/usage/fill.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/client.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejection-store.ts';
import { refreshRank } from '../../shared/app/refresh-rank.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import type { ClientId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { UsageReader } from '../../shared/ports/usage.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { createUsageRig, demo, type UsageRig } from './rig.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

async function startMetered(): Promise<{ rig: UsageRig; units: Meter; fill: (count: number) => Promise<void> }> {
  const { client, tableName } = await createTestTable(engine.endpoint);
  const rig = await createUsageRig(client, tableName);
  const rawClient = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 10_000 });
  const wakeAt = ms(rig.now + 86_400_000);
  // Up to a hundred sessions: a roster of 1 KB.
  const usedOf = (n: number): number => 1 + ((n * 7_919) % 97);
  const fill = async (count: number): Promise<void> => {
    await writeItems(rawClient, tableName, usernamesAtRest(demo, count, usedOf, wakeAt));
    const names = Array.from({ length: Math.min(count, 120) }, (_, n) => nameOf(n));
    const by = { actor: 'test', at: ms(0) };
    await rig.settings.putSessionLimit(demo, { enabled: true, maxSessionsPerUsername: 50, whitelist: names }, by);
    const rejections = createRejectionStore(rawClient, tableName);
    for (const username of names.slice(0, 60)) {
      await rig.settings.putOverride(demo, username, { kind: 'number', max: 3 }, by);
      const clientId = 'a-client-id-of-a-usual-length' as ClientId;
      const hours = [{ hour: ms(rig.now - (rig.now % 3_600_000)), count: 7 }];
      const sumId = `${tableName} ${username}`;
      const sum = { sumId, deploymentId: demo, username, clientId, count: 7, lastAt: rig.now, hours };
      await rejections.addRejections(sum);
    }
  };
  return { rig, units: meter(client, { tableDefinition, tableName, rawClient }), fill };
}

type Page = (usage: UsageReader) => Promise<{ readonly items: readonly unknown[] }>;

const pages: readonly (readonly [string, Page])[] = [
  ['the first by username', (usage) => usage.listUsernames(demo, { limit: 50, order: 'asc' })],
  ['the first by username, descending', (usage) => usage.listUsernames(demo, { limit: 50, order: 'desc' })],
  ['one in the middle', (usage) => usage.listUsernames(demo, { limit: 50, order: 'asc', after: nameOf(40) })],
  ['by prefix', (usage) => usage.listUsernames(demo, { limit: 50, order: 'asc', prefix: 'user-0000' })],
  ['by used, the most first', (usage) => usage.listByUsed(demo, { limit: 50, order: 'desc' })],
  ['by used, the fewest first', (usage) => usage.listByUsed(demo, { limit: 50, order: 'asc' })],
  ['from a minimum on', (usage) => usage.listByUsed(demo, { limit: 50, order: 'asc', minUsed: 40 })],
  [
    'by used, behind another',
    (usage) => usage.listByUsed(demo, { limit: 50, order: 'desc', after: { used: 60, username: nameOf(3) } }),
  ],
];

describe.each([
  ['100 usernames', 100],
  ['4,000 usernames', 4_000],
])('of %s', (_, count) => {
  let metered: Awaited<ReturnType<typeof startMetered>>;
  beforeAll(async () => {
    metered = await startMetered();
    await metered.fill(count);
    await metered.rig.usage.listByUsed(demo, { limit: 1, order: 'asc' });
  }, 120_000);

  test.each(pages)('%s: <= 60 read units and no write', async (_name, read) => {
    metered.units.reset();
    const { items } = await read(metered.rig.usage);
    const { total } = metered.units.units();
    expect(items).toHaveLength(50);
    expect(total.read).toBeLessThanOrEqual(60);
    expect(total.write).toBe(0);
  });
});

test('what a refresh costs: 2 units to enter the order, 3 to move, 2 to leave, none where nothing changed', async () => {
  const { rig, units } = await startMetered();
  const spent = async (): Promise<{ write: number; read: number }> => {
    units.reset();
    await refreshRank(rig, demo, nameOf(1));
    const { write, read } = units.units().total;
    return { write, read };
  };
  await rig.join(nameOf(1));
  expect(await spent()).toEqual({ write: 2, read: 2 });
  await rig.join(nameOf(1));
  expect(await spent()).toEqual({ write: 3, read: 2 });
  expect(await spent()).toEqual({ write: 0, read: 2 });
  await rig.leave(nameOf(1), 2);
  expect(await spent()).toEqual({ write: 2, read: 2 });
  // A life that begins and ends between two refreshes has cost the order nothing.
  await rig.join(nameOf(1));
  await rig.leave(nameOf(1));
  expect(await spent()).toEqual({ write: 0, read: 2 });
});
