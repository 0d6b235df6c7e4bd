// `npm start` as a process: what it prints, that it stops cleanly, survives being killed, and says what is wrong.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join as joinPath } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { join, refusalOf } from '../support/mqtt.ts';
import { api, cleanUp, makeFolder, ready, start } from '../support/process.ts';

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
  ['after kill -9', 'local/main.ts'],
  ['after kill -9 before any report was handled', 'test/support/slow-queue.ts'],
])(
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

    const second = start({ DATA_DIR });
    const again = await ready(second);
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

test.each([
  [{ DATA_DIR: '/proc/headcount' }, '/proc/headcount'],
  [{ DATA_DIR: ':memory:', HTTP_PORT: 'eighty' }, 'HTTP_PORT is "eighty"'],
  [{ DATA_DIR: ':memory:', HTTP_PORT: '70000' }, 'from 0 to 65535'],
  [{ DATA_DIR: ':memory:', DYNAMODB_ENDPOINT: 'somewhere' }, 'DYNAMODB_ENDPOINT is "somewhere"'],
  [{ DATA_DIR: ':memory:', DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' }, 'http://127.0.0.1:9'],
  [{ DATA_DIR: ':memory:', API_TOKENS: 'nonsense' }, 'API_TOKENS'],
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
