import { BatchWriteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTable } from '../../local/create-table.ts';
import { type Engine, startEngine } from '../../local/engine.ts';
import { startTtlJanitor, type TtlJanitorOptions } from '../../local/ttl.ts';
import { quietLog } from '../support/quiet-log.ts';
import { until } from '../support/until.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

let engine: Engine;
let client: DynamoDBClient;
let time: ManualTime;
let tableName = '';
let tables = 0;

beforeAll(async () => {
  engine = await startEngine({ dataDir: ':memory:' });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new DynamoDBClient({ endpoint: engine.endpoint, region: 'local', credentials });
});
afterAll(async () => {
  client.destroy();
  await engine.stop();
});
beforeEach(async () => {
  time = createManualTime();
  tables += 1;
  tableName = `table${tables}`;
  await createTable(client, tableName);
});

const janitor = (options: Partial<TtlJanitorOptions> = {}) =>
  startTtlJanitor({
    client,
    tableName,
    clock: time.clock,
    schedule: time.schedule,
    log: quietLog,
    everyMinutes: 10,
    ...options,
  });

async function put(sk: string, more: Record<string, { N: string } | { S: string }>): Promise<void> {
  await client.send(new PutItemCommand({ TableName: tableName, Item: { pk: { S: 'p' }, sk: { S: sk }, ...more } }));
}

async function left(): Promise<(string | undefined)[]> {
  const { Items } = await client.send(new ScanCommand({ TableName: tableName }));
  return (Items ?? []).map((item) => item.sk?.S).sort();
}

const ttl = (inSeconds: number) => ({ ttl: { N: String(time.clock.now() / 1000 + inSeconds) } });

test('removes what is past and nothing else', async () => {
  await put('past', ttl(-1));
  await put('now', ttl(0));
  await put('future', ttl(1));
  await put('none', {});
  const { runOnce, stop } = janitor();
  expect(await runOnce()).toBe(1);
  expect(await left()).toEqual(['future', 'none', 'now']);
  time.advance(1_000);
  expect(await runOnce()).toBe(1);
  expect(await left()).toEqual(['future', 'none']);
  await stop();
});

test('reads page after page', async () => {
  // 1 MB is a page: these are three.
  const pad = { S: 'x'.repeat(100_000) };
  for (let n = 0; n < 25; n += 1) await put(`n${String(n).padStart(2, '0')}`, { ...ttl(n === 24 ? 1 : -1), pad });
  const { runOnce, stop } = janitor();
  expect(await runOnce()).toBe(24);
  expect(await left()).toEqual(['n24']);
  await stop();
});

test('an item that was written again since the scan read it stays', async () => {
  await put('a', ttl(-1));
  // The real client, but that between its scan and its delete somebody writes.
  const racing = {
    async send(command: Parameters<DynamoDBClient['send']>[0]) {
      const output = await client.send(command);
      if (command instanceof ScanCommand) await put('a', ttl(100));
      return output;
    },
  } as unknown as DynamoDBClient;
  const { runOnce, stop } = janitor({ client: racing });
  expect(await runOnce()).toBe(0);
  expect(await left()).toEqual(['a']);
  await stop();
});

test('runs by itself every so many minutes until it is stopped, also after a run that failed', async () => {
  const told: string[] = [];
  const log = { ...quietLog, info: (text: string) => told.push(text), warn: (text: string) => told.push(text) };
  const broken = janitor({ tableName: 'no-such-table', log });
  for (const count of [1, 2]) {
    await until(() => expect(time.pending()).toBe(1));
    time.advance(600_000);
    await until(() => expect(told).toHaveLength(count));
  }
  expect(told).toEqual(['expired items not removed', 'expired items not removed']);
  await broken.stop();

  await client.send(
    new BatchWriteItemCommand({
      RequestItems: { [tableName]: [{ PutRequest: { Item: { pk: { S: 'p' }, sk: { S: 'a' }, ...ttl(-1) } } }] },
    }),
  );
  const { stop } = janitor();
  time.advance(599_999);
  expect(await left()).toEqual(['a']);
  time.advance(1);
  await stop();
  expect(await left()).toEqual([]);
  expect(time.pending()).toBe(0);
});
