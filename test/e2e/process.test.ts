// `npm start` as a process: what it prints, that it stops cleanly, survives being killed, and says what is wrong.

import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join as joinPath } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createTableAt } from '../../local/create-table.ts';
import { takeLock } from '../../local/lock.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { PutCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { dataFormatKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { generateKeyring } from '../../shared/adapters/node/keyring.ts';
import { startTestEngine } from '../support/engine.ts';
import { join, refusalOf } from '../support/mqtt.ts';
import { api, cleanUp, makeFolder, npmStart, ready, start } from '../support/process.ts';

afterEach(cleanUp);

test.each(['SIGINT', 'SIGTERM'] as const)('%s stops it cleanly, with clients connected', async (signal) => {
  const started = start({ DATA_DIR: ':memory:' });
  const at = await ready(started);
  const client = await join(at, { version: 5, clientId: 'one' });
  client.on('error', () => undefined);
  started.child.kill(signal);
  expect(await started.ended).toBe(0);
  await client.endAsync(true);
});

test.each([
  ['SIGTERM', 0],
  ['SIGKILL', null],
] as const)(
  '%s to npm alone ends all that `npm start` started, and leaves a data folder that is free and private',
  async (signal, code) => {
    const DATA_DIR = makeFolder();
    const started = npmStart({ DATA_DIR });
    await ready(started);
    started.child.kill(signal);
    expect(await started.ended).toBe(code);
    await started.silent;
    const files = readdirSync(DATA_DIR).map((name) => [name, statSync(joinPath(DATA_DIR, name)).mode & 0o777]);
    expect(Object.fromEntries(files)).toMatchObject({ 'dynamodb.sqlite': 0o600 });
    expect(files.filter(([, mode]) => mode !== 0o600)).toEqual([]);
    const lock = await takeLock(DATA_DIR);
    expect(lock.kind).toBe('locked');
    if (lock.kind === 'locked') await lock.release();
  },
  60_000,
);

test.each([
  ['after kill -9', 'local/main.ts'],
  ['after kill -9 before any report was handled', 'test/support/slow-queue.ts'],
] as const)(
  '%s settings, retained sessions and counts are there, and connected ones are settled before ready',
  async (_when, program) => {
    const DATA_DIR = makeFolder();
    const first = start({ DATA_DIR }, program);
    const at = await ready(first);
    await api(at, 'PUT', '/session-limit', { maxSessionsPerUsername: 2 });
    const clean = await join(at, { version: 5, clientId: 'clean' });
    const kept = await join(at, { version: 5, clientId: 'kept', clean: false, expirySeconds: 3_000 });
    const waits = await join(at, {
      version: 5,
      clientId: 'waits',
      username: 'bob',
      clean: false,
      expirySeconds: 3_000,
    });
    await waits.endAsync();
    for (const client of [clean, kept]) client.on('error', () => undefined);
    first.child.kill('SIGKILL');
    await first.ended;
    await Promise.all([clean.endAsync(true), kept.endAsync(true)]);

    const second = start({ DATA_DIR, LOG_LEVEL: 'info' });
    const again = await ready(second);
    expect([first, second].map((one) => one.output().includes('"level":"info"'))).toEqual([false, true]);
    expect((await api(again, 'GET', '/session-limit')).body.maxSessionsPerUsername).toBe(2);
    const alice = (await api(again, 'GET', '/session-usage/alice')).body;
    expect(alice).toMatchObject({ used: 1, retained: 1, connected: 0, pending: 0 });
    expect((await api(again, 'GET', '/session-usage/bob')).body).toMatchObject({ used: 1, retained: 1 });
    const back = await join(again, { version: 5, clientId: 'kept', clean: false, expirySeconds: 0 });
    const more = await join(again, { version: 5, clientId: 'more' });
    expect(await refusalOf(join(again, { version: 5, clientId: 'too-many' }))).toBe(0x97);
    await Promise.all([back.endAsync(), more.endAsync()]);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  },
  60_000,
);

test('a port that is taken is named, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const started = start({ DATA_DIR: ':memory:', MQTT_PORT: String(port) });
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain(`port ${port} on 127.0.0.1 is taken`);
  expect(started.output()).toContain('MQTT_PORT');
  expect(started.output()).not.toContain('    at ');
  server.close();
});

test('a data folder that another instance uses is left alone', async () => {
  const DATA_DIR = makeFolder();
  const first = start({ DATA_DIR });
  await ready(first);
  const second = start({ DATA_DIR });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(DATA_DIR);
  expect(second.output()).toContain(String(first.child.pid));
});

/** A folder that the product has run with once. */
async function usedFolder(): Promise<string> {
  const DATA_DIR = makeFolder();
  const first = start({ DATA_DIR });
  await ready(first);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  return DATA_DIR;
}

test('the keys of passwords are a private file; without it the data are refused, and with it they are there again, in a copy of the folder too', async () => {
  const DATA_DIR = await usedFolder();
  const file = joinPath(DATA_DIR, 'password-keys.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  renameSync(file, `${file}.away`);
  const without = start({ DATA_DIR });
  expect(await without.ended).toBe(1);
  expect(without.output()).toMatch(
    /^headcount: the file \S+password-keys.json with the keys of MQTT passwords is absent, .* put it back from a backup, or set DATA_DIR to another folder to begin anew$/m,
  );
  expect(existsSync(file)).toBe(false);

  writeFileSync(file, generateKeyring());
  const other = start({ DATA_DIR });
  expect(await other.ended).toBe(1);
  expect(other.output()).toMatch(/^headcount: MQTT passwords in the table headcount are stored under the key /m);

  renameSync(`${file}.away`, file);
  const restored = joinPath(makeFolder(), 'restored');
  cpSync(DATA_DIR, restored, { recursive: true });
  const again = start({ DATA_DIR: restored });
  const client = await join(await ready(again), { version: 5, clientId: 'one' });
  await client.endAsync();
}, 90_000);

test('a clock behind the last run is told before ready; a data folder of another format is refused', async () => {
  const DATA_DIR = await usedFolder();
  writeFileSync(joinPath(DATA_DIR, 'alive'), String(Date.now() + 86_400_000));
  const behind = start({ DATA_DIR });
  await ready(behind);
  expect(behind.output()).toMatch(
    /^headcount: the clock says \S+Z, and the last run .* set it and start again\n(?:.*\n)*ready /m,
  );
  behind.child.kill('SIGTERM');
  await behind.ended;
  writeFileSync(joinPath(DATA_DIR, 'format'), '2\n');
  const second = start({ DATA_DIR });
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(
    /^headcount: the data directory \S+ holds data of format 2, and this version of Headcount uses format 1: run the version that wrote them, or set DATA_DIR to another folder$/m,
  );
  expect(second.output()).not.toContain('    at ');
}, 60_000);

test('a table of another format, or of none, is refused', async () => {
  const engine = await startTestEngine();
  const client = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 10_000 });
  await createTableAt(engine.endpoint, 'headcount');
  for (const [Item, said] of [
    [{ pk: 'D|demo', sk: 'deployment' }, 'the table headcount holds data of no format'],
    [{ ...dataFormatKey, version: 7, keyIds: new Set(['one']) }, 'the table headcount holds data of format 7'],
  ] as const) {
    await client.send(new PutCommand({ TableName: 'headcount', Item }));
    const started = start({ DATA_DIR: ':memory:', DYNAMODB_ENDPOINT: engine.endpoint });
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain(
      `headcount: ${said}, and this version of Headcount uses format 1: run the version`,
    );
  }
  client.destroy();
  await engine.stop();
}, 60_000);

test.each([
  [{ DATA_DIR: '/proc/headcount' }, '/proc/headcount'],
  [{ DATA_DIR: ':memory:', HTTP_PORT: 'eighty' }, 'HTTP_PORT is "eighty"'],
  [{ DATA_DIR: ':memory:', HTTP_PORT: '70000' }, 'from 0 to 65535'],
  [{ DATA_DIR: ':memory:', DYNAMODB_ENDPOINT: 'somewhere' }, 'DYNAMODB_ENDPOINT is "somewhere"'],
  [{ DATA_DIR: ':memory:', DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }, 'http://127.0.0.1:9'],
  [{ DATA_DIR: ':memory:', API_TOKENS: 'nonsense' }, 'API_TOKENS'],
  [{ DATA_DIR: ':memory:', LOG_LEVEL: 'verbose' }, 'LOG_LEVEL is "verbose"; it is one of debug, info, warn, error'],
  [{ DATA_DIR: ':memory:', BIND_HOST: '203.0.113.7', API_TOKEN: 'own' }, '203.0.113.7 is no address of this machine'],
  [{ DATA_DIR: ':memory:', BIND_HOST: '0.0.0.0' }, 'set API_TOKEN'],
])('%j: ends with a word that says what is wrong', async (env, said) => {
  const started = start(env);
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain(said);
  expect(started.output()).not.toContain('    at ');
});

test('a data folder that is a file is named', async () => {
  const file = joinPath(makeFolder(), 'file');
  writeFileSync(file, '');
  const started = start({ DATA_DIR: file });
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain(file);
});
