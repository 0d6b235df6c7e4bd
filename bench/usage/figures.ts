// Pages of usage at two sizes, and what keeping their order costs.

import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createTable } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { perUsernameKey, rankPk } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { rankText } from '../../shared/adapters/dynamodb/usage/usage-item.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import type { DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import type { UsageReader } from '../../shared/ports/usage/usage.ts';
import { createTarget, type Target } from '../admission/target.ts';
import { table, time, whole } from '../adr1/tables.ts';
import { type Meter, meter } from '../meter/meter.ts';
import { nameOf, usernamesAtRest, writeItems } from './fill.ts';

const demo = 'demo' as DeploymentId;
const now = ms(1_790_000_000_000);
const clock = { now: () => now };
/** Up to 96 sessions, so that a roster is up to 1 KB. */
const usedOf = (n: number): number => 1 + ((n * 7_919) % 97);

export async function usageFigures(large: number): Promise<readonly string[]> {
  const engine = await startEngine({ dataDir: ':memory:' });
  try {
    const small = await pagesOf(await fill(createTarget(engine.endpoint, 'small'), 100), 100);
    const target = createTarget(engine.endpoint, 'large');
    const begun = performance.now();
    const filled = await fill(target, large);
    const filledMs = performance.now() - begun;
    const big = await pagesOf(filled, large);
    const order = await orderFigures(createTarget(engine.endpoint, 'order'));
    return [...pageFigures(small, big, large), ...(await timeFigures(filled, large, filledMs)), ...order];
  } finally {
    await engine.stop();
  }
}

async function fill(target: Target, count: number): Promise<Target> {
  await createTable(target.rawClient, target.tableName);
  const settings = createSettingsStore(target.client, target.tableName);
  await settings.createDeployment({
    deploymentId: demo,
    tenantId: 'local' as TenantId,
    name: 'Demo',
    mqttHost: 'demo.mqtt.localhost',
    status: 'active',
    ...defaultsOf(deploymentSettings),
    createdAt: now,
  });
  const whitelist = Array.from({ length: 100 }, (_, n) => nameOf(n));
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 50, whitelist };
  await settings.putSessionLimit(demo, limit, { actor: 'bench', at: now });
  const wakeAt = ms(now + 86_400_000);
  await writeItems(target.client, target.tableName, usernamesAtRest(demo, count, usedOf, wakeAt));
  return target;
}

function readerOf({ client, tableName }: Target): UsageReader {
  return createUsageReader(client, tableName, {
    sessions: createSessionStore(client, tableName, cryptoRandom),
    settings: createSettingsStore(client, tableName),
    clock,
    ranks: { ask: async () => undefined },
  });
}

type Read = (usage: UsageReader, count: number) => Promise<{ readonly items: readonly unknown[] }>;

const limit = 50;
const firstByName: Read = (usage) => usage.listUsernames(demo, { limit, order: 'asc' });
const reads: readonly (readonly [string, Read])[] = [
  ['by username, the first', firstByName],
  [
    'by username, in the middle',
    (usage, count) => usage.listUsernames(demo, { limit, order: 'asc', after: nameOf(Math.floor(count / 2) - 1) }),
  ],
  ['by username, descending', (usage) => usage.listUsernames(demo, { limit, order: 'desc' })],
  ['by prefix', (usage) => usage.listUsernames(demo, { limit, order: 'asc', prefix: 'user-0000' })],
  ['by used, the fewest first', (usage) => usage.listByUsed(demo, { limit, order: 'asc' })],
  ['by used, the most first', (usage) => usage.listByUsed(demo, { limit, order: 'desc' })],
  ['by used, from 40 on', (usage) => usage.listByUsed(demo, { limit, order: 'asc', minUsed: 40 })],
  [
    'by used, in the middle',
    (usage) => usage.listByUsed(demo, { limit, order: 'desc', after: { used: 60, username: nameOf(0) } }),
  ],
];

interface Page {
  readonly read: number;
  readonly requests: number;
  readonly items: number;
}

async function metered(target: Target, work: (units: Meter) => Promise<void>): Promise<void> {
  const units = meter(target.client, { tableDefinition, tableName: target.tableName, rawClient: target.rawClient });
  await work(units);
  units.detach();
}

/** The first page also reads the whitelist, which the process knows from then on: told apart. */
async function pagesOf(target: Target, count: number): Promise<Target & { pages: readonly Page[] }> {
  const pages: Page[] = [];
  await metered(target, async (units) => {
    const usage = readerOf(target);
    const page = async (read: Read): Promise<Page> => {
      units.reset();
      const { items } = await read(usage, count);
      const { total } = units.units();
      return { read: total.read, requests: total.requests, items: items.length };
    };
    const cold = await page(firstByName);
    for (const [, read] of reads) pages.push(await page(read));
    pages.push(cold);
  });
  return { ...target, pages };
}

function pageFigures(small: { pages: readonly Page[] }, big: { pages: readonly Page[] }, count: number): string[] {
  const cell = (page: Page | undefined): string =>
    page === undefined ? '–' : `${page.read} (${page.requests} requests, ${page.items} usernames)`;
  return [
    '## Read units of a page of 50',
    'By the unit meter, from the items themselves. Usernames hold 1 to 97 sessions; a limit and a whitelist of 100 are ' +
      'configured.',
    table(
      ['page', '100 usernames', `${whole(count)} usernames`, 'budget'],
      [
        ...reads.map(([name], n) => [name, cell(small.pages[n]), cell(big.pages[n]), '≤ 60']),
        [
          'by username, the first of a process',
          cell(small.pages.at(-1)),
          cell(big.pages.at(-1)),
          'reads the whitelist too',
        ],
      ],
    ),
  ];
}

async function timeFigures(target: Target, count: number, filledMs: number): Promise<string[]> {
  const usage = readerOf(target);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  const rows: string[][] = [];
  for (const [name, read] of reads) {
    const runs: number[] = [];
    for (let n = 0; n < 9; n++) runs.push(await timed(() => read(usage, count)));
    runs.sort((a, b) => a - b);
    rows.push([name, time(runs[4] ?? 0), time(runs[8] ?? 0)]);
  }
  const over = await usage.countOverLimit(demo);
  const overMs = await timed(() => usage.countOverLimit(demo));
  return [
    `## Time at ${whole(count)} usernames`,
    `On this machine and engine; filling took ${time(filledMs)}. Counting the ${whole(over)} usernames over a limit, as ` +
      `an answer to a changed limit does, took ${time(overMs)}.`,
    table(['page', 'median of 9', 'longest'], rows),
  ];
}

/** What the order costs in writes: refreshed, or kept right in every change of a roster. */
async function orderFigures(target: Target): Promise<string[]> {
  const { client, tableName } = target;
  await createTable(target.rawClient, tableName);
  const store = createSessionStore(client, tableName, cryptoRandom);
  const ranks = createRankStore(client, tableName, cryptoRandom);
  const wakeAt = ms(now + 86_400_000);
  const rows: (string | number)[][] = [];
  await metered(target, async (units) => {
    const spent = async (work: () => Promise<unknown>): Promise<number> => {
      units.reset();
      await work();
      return units.units().total.write;
    };
    for (const [what, before] of [
      ['first session of a username', 0],
      ['one more of 10', 10],
      ['one more of 97', 97],
    ] as const) {
      const username = `order-${before}` as Username;
      const join = () => store.addPlace(demo, username, cryptoRandom.place(), Number.POSITIVE_INFINITY, wakeAt);
      for (let n = 0; n < before; n++) await join();
      await refreshRank({ store, ranks }, demo, username);
      const bare = await spent(join);
      const refreshed = await spent(() => refreshRank({ store, ranks }, demo, username));
      const onRoster = (used: number) =>
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { ...perUsernameKey('N', demo, username) },
            UpdateExpression: 'SET rankPk = :pk, #rank = :rank',
            ExpressionAttributeNames: { '#rank': 'rank' },
            ExpressionAttributeValues: { ':pk': rankPk(demo, username), ':rank': rankText(used, username) },
          }),
        );
      if (before > 0) await onRoster(before);
      rows.push([what, bare, `${refreshed}, at most once in 50 s`, await spent(() => onRoster(before + 1))]);
    }
  });
  return [
    '## Write units of keeping the order',
    'Beside the write of the roster itself. The last column is one write of a roster that carries its rank; in a product ' +
      'that kept it there, the roster’s own write would be this write.',
    table(['change', 'roster’s own write', 'refresh', 'roster with the rank in it'], rows),
  ];
}
