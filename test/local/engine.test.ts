import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTable } from '../../local/create-table.ts';
import { type Engine, startEngine } from '../../local/engine.ts';
import { findEngine } from '../../local/find-engine.ts';
import { engineOn, processesOn } from '../support/engine-process.ts';
import { until } from '../support/until.ts';
import { hold } from './hold.ts';

let folder: string;
const engines: Engine[] = [];
const clients: DynamoDBClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-engine-'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  rmSync(folder, { recursive: true });
});

async function start(dataDir: string): Promise<Engine> {
  const engine = await startEngine({ dataDir });
  engines.push(engine);
  return engine;
}

function clientOf(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'local', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

const key = { pk: { S: 'a' }, sk: { S: 'b' } };
const put = (endpoint: string, value: string) =>
  clientOf(endpoint).send(new PutItemCommand({ TableName: 'items', Item: { ...key, value: { S: value } } }));
const get = async (endpoint: string) => {
  const { Item } = await clientOf(endpoint).send(new GetItemCommand({ TableName: 'items', Key: key }));
  return Item?.value?.S;
};

test('two engines run side by side and know nothing of each other', async () => {
  const [a, b] = await Promise.all([start(':memory:'), start(':memory:')]);
  for (const engine of [a, b]) await createTable(clientOf(engine.endpoint), 'items');
  await put(a.endpoint, 'of a');
  expect(await get(a.endpoint)).toBe('of a');
  expect(await get(b.endpoint)).toBeUndefined();
});

test('what is written survives a restart', async () => {
  const first = await start(folder);
  expect(await createTable(clientOf(first.endpoint), 'items')).toBe('created');
  await put(first.endpoint, 'kept');
  await first.stop();
  expect(processesOn(first.endpoint)).toEqual([]);
  const second = await start(folder);
  expect(await createTable(clientOf(second.endpoint), 'items')).toBe('exists');
  expect(await get(second.endpoint)).toBe('kept');
});

test('a parent that is killed with SIGKILL leaves no engine behind, and no write behind', async () => {
  const holder = await hold('engine', folder);
  const endpoint = holder.line;
  try {
    await createTable(clientOf(endpoint), 'items');
    await put(endpoint, 'kept');
    expect(processesOn(endpoint)).not.toEqual([]);
  } finally {
    await holder.kill();
  }
  await until(() => expect(processesOn(endpoint)).toEqual([]));
  const next = await start(folder);
  expect(await get(next.endpoint)).toBe('kept');
}, 30_000);

/** Kills the engine once it answers. */
async function killNext(endpoint: string): Promise<void> {
  await until(() => get(endpoint));
  const pid = engineOn(endpoint);
  if (pid === undefined) throw new Error('no engine to kill');
  process.kill(pid, 'SIGKILL');
  await until(() => expect(engineOn(endpoint)).not.toBe(pid));
}

test('an engine that ends by itself is started again on the same port, with all that it had answered', async () => {
  const told: string[] = [];
  const engine = await startEngine({ dataDir: folder, onRestart: (problem) => told.push(problem) });
  engines.push(engine);
  engine.onExit((problem) => told.push(`given up: ${problem}`));
  await createTable(clientOf(engine.endpoint), 'items');
  await put(engine.endpoint, 'kept');
  await killNext(engine.endpoint);
  await until(async () => expect(await get(engine.endpoint)).toBe('kept'));
  expect(told).toEqual([expect.stringContaining('ended by itself')]);
  await engine.stop();
  expect(processesOn(engine.endpoint)).toEqual([]);
}, 60_000);

test('one that ends time and again is given up, and is told of once', async () => {
  const restarts: string[] = [];
  const engine = await startEngine({ dataDir: folder, onRestart: (problem) => restarts.push(problem) });
  engines.push(engine);
  const told: string[] = [];
  engine.onExit((problem) => told.push(problem));
  await createTable(clientOf(engine.endpoint), 'items');
  for (let kills = 0; kills < 6; kills++) await killNext(engine.endpoint);
  await until(() => expect(told).toHaveLength(1));
  expect(restarts).toHaveLength(5);
  expect(processesOn(engine.endpoint)).toEqual([]);
}, 60_000);

test('an engine that ends by itself, and its data with it, is told of; one that is stopped is not', async () => {
  const [killed, stopped] = await Promise.all([start(':memory:'), start(':memory:')]);
  const told: string[] = [];
  killed.onExit((problem) => told.push(`killed: ${problem}`));
  stopped.onExit((problem) => told.push(`stopped: ${problem}`));
  await stopped.stop();
  process.kill(Number(engineOn(killed.endpoint)), 'SIGKILL');
  await until(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatch(/^killed: the DynamoDB engine ended by itself/);
  expect(processesOn(killed.endpoint)).toEqual([]);
  await killed.stop();
});

test('Ctrl-C in a terminal does not reach the engine: it is stopped after those who need it', async () => {
  const { endpoint } = await start(':memory:');
  const groupOf = (pid: string) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
  const groups = processesOn(endpoint).map(groupOf);
  expect(groups.length).toBeGreaterThan(0);
  expect(groups).not.toContain(groupOf(String(process.pid)));
});

test('an engine that cannot open its file says so', async () => {
  await expect(startEngine({ dataDir: join(folder, 'missing') })).rejects.toThrow(/did not start.*database file/);
});

test('DYNAMODB_ENDPOINT is taken as it is, and is not stopped', async () => {
  const mine = await start(':memory:');
  const other = await startEngine({ dataDir: folder, endpoint: mine.endpoint });
  await other.stop();
  await createTable(clientOf(other.endpoint), 'items');
  expect(readdirSync(folder)).toEqual([]);
});

test('the table has the shape of the shared definition', async () => {
  const { endpoint } = await start(':memory:');
  await createTable(clientOf(endpoint), 'items');
  const { Table } = await clientOf(endpoint).send(new DescribeTableCommand({ TableName: 'items' }));
  expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
  const indexes = Table?.GlobalSecondaryIndexes?.map((index) => [
    index.IndexName,
    index.Projection?.ProjectionType,
    ...(index.KeySchema ?? []).map((part) => part.AttributeName),
  ]);
  expect(indexes?.sort()).toEqual([
    ['due', 'KEYS_ONLY', 'duePk', 'dueAt'],
    ['rank', 'INCLUDE', 'rankPk', 'rank'],
    ['wake', 'KEYS_ONLY', 'wakePk', 'wakeAt'],
  ]);
  const types = Object.fromEntries(Table?.AttributeDefinitions?.map((a) => [a.AttributeName, a.AttributeType]) ?? []);
  const ofIndexes = { wakePk: 'S', wakeAt: 'N', duePk: 'S', dueAt: 'N', rankPk: 'S', rank: 'S' };
  expect(types).toEqual({ pk: 'S', sk: 'S', ...ofIndexes });
});

test('the engine is found on the PATH where no package fits; where there is none, the error says what to do', () => {
  const places = { platform: 'plan9', arch: 'mips', path: `/nowhere:${folder}` };
  expect(() => findEngine(places)).toThrow(/@dynoxide\/plan9-mips[\s\S]*PATH[\s\S]*DYNAMODB_ENDPOINT/);
  writeFileSync(join(folder, 'dynoxide'), '', { mode: 0o644 });
  expect(() => findEngine(places)).toThrow('no DynamoDB engine found');
  rmSync(join(folder, 'dynoxide'));
  writeFileSync(join(folder, 'dynoxide'), '', { mode: 0o755 });
  expect(findEngine(places)).toBe(join(folder, 'dynoxide'));
});
