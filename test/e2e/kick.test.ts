// Kicking at the wire (S15, S21), with real MQTT clients and the whole product.

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConnect, dialRaw, join, refusalOf } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const demo = '/deployments/demo';

/** The reason code of the DISCONNECT that the client is sent; 0 for a connection that just ends. */
function farewell(client: MqttClient): Promise<number> {
  return new Promise((resolve) => {
    client.once('disconnect', (packet) => resolve(packet.reasonCode ?? 0));
    client.once('close', () => resolve(0));
  });
}

async function inTens<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += 10) await Promise.all(items.slice(at, at + 10).map(work));
}

/** Starts an operation and answers its path under /v1. */
async function start(method: string, path: string): Promise<string> {
  const { status, body } = await rig.api(method, path);
  expect(status).toBe(202);
  return `/operations/${String(body.operationId)}`;
}

/** Waits for the end of an operation; answers what was read of it, each state once. */
async function watch(operation: string, enough: () => boolean = () => false): Promise<Record<string, unknown>[]> {
  const seen: Record<string, unknown>[] = [];
  for (let reads = 0; reads < 3_000; reads += 1) {
    const { status, body } = await rig.api('GET', operation);
    expect(status).toBe(200);
    if (seen.at(-1)?.finished !== body.finished || seen.at(-1)?.status !== body.status) seen.push(body);
    if (body.status !== 'running' || enough()) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${operation} did not end: ${JSON.stringify(seen.at(-1))}`);
}

test('kick of one client: it is told 0x98, its session is gone with it, its place is free; a second kick frees nothing', async () => {
  const kept = await join(rig.product, { version: 5, clientId: 'kept', clean: false, expirySeconds: 600 });
  const other = await join(rig.product, { version: 4, clientId: 'other' });
  await eventually(async () => (await rig.api('GET', `${demo}/clients/kept`)).body.state === 'connected', 'confirmed');
  const told = farewell(kept);
  expect((await rig.api('DELETE', `${demo}/clients/kept`)).status).toBe(204);
  expect(await told).toBe(0x98);
  expect(await rig.used('alice')).toBe(1);
  expect((await rig.api('DELETE', `${demo}/clients/kept`)).status).toBe(204);
  const unknown = await rig.api('DELETE', `${demo}/clients/never`);
  expect(unknown).toMatchObject({ status: 404, body: { code: 'client.not_found' } });
  await rig.product.quiet();
  expect(await rig.used('alice')).toBe(1);
  // Nothing of the session is left: a client that wants to resume it begins anew.
  const back = await dialRaw(rig.product);
  back.socket.write(buildConnect({ version: 5, clientId: 'kept', clean: false }));
  const [type, , sessionPresent, reasonCode] = await back.bytes(4);
  expect([type, sessionPresent, reasonCode]).toEqual([0x20, 0, 0]);
  expect(await rig.used('alice')).toBe(2);
  back.socket.destroy();
  await other.endAsync();
  await eventually(async () => (await rig.used('alice')) === 0, 'all are gone');
});

test('kick of 500, a tenth of them retained: all of them end, with progress to read; who comes back meanwhile stays', async () => {
  const ids = Array.from({ length: 500 }, (_, n) => `many-${String(n).padStart(4, '0')}`);
  const clients = new Map<string, MqttClient>();
  let disconnected = 0;
  await inTens(ids, async (clientId) => {
    const n = Number(clientId.slice(-4));
    const client = await join(rig.product, {
      version: n % 2 === 0 ? 5 : 4,
      clientId,
      username: 'bob',
      ...(n % 10 === 0 ? { clean: false, expirySeconds: 3_600 } : {}),
    });
    if (n % 10 === 0) return client.endAsync();
    clients.set(clientId, client);
    client.once('close', () => {
      disconnected += 1;
    });
  });
  await rig.product.quiet();
  expect(await rig.api('GET', `${demo}/session-usage/bob`)).toMatchObject({
    body: { used: 500, connected: 450, retained: 50, pending: 0 },
  });

  const operation = await start('DELETE', `${demo}/session-usage/bob/sessions`);
  const first = clients.get('many-0001');
  const before = await watch(operation, () => first?.connected === false);
  expect(before.at(-1)).toMatchObject({ status: 'running' });
  // Its page comes first, so it has been kicked by now: it is back, and is left alone.
  const back = await join(rig.product, { version: 5, clientId: 'many-0001', username: 'bob' });
  const seen = await watch(operation);
  expect(seen.at(-1)).toMatchObject({ status: 'done', total: 500, finished: 500 });
  expect(seen.at(-1)).toHaveProperty('endedAt');
  expect(seen.length).toBeGreaterThan(3);
  const finished = seen.map((state) => Number(state.finished));
  expect(finished).toEqual([...finished].sort((a, b) => a - b));
  await eventually(async () => disconnected === 450, 'every client has been disconnected');
  await rig.product.quiet();
  expect(back.connected).toBe(true);
  expect(await rig.used('bob')).toBe(1);
  await back.endAsync();
  await eventually(async () => (await rig.used('bob')) === 0, 'it is gone too');
}, 240_000);

test('an MQTT user that is removed is disconnected at once, and nobody else', async () => {
  const [bridge, alice] = await Promise.all([
    join(rig.product, { version: 5, clientId: 'bridge-1', username: 'bridge', clean: false, expirySeconds: 600 }),
    join(rig.product, { version: 5, clientId: 'alice-1' }),
  ]);
  const told = farewell(bridge);
  expect((await rig.api('DELETE', `${demo}/credentials/bridge`)).status).toBe(204);
  expect(await told).toBe(0x98);
  await eventually(async () => (await rig.used('bridge')) === 0, 'its session has ended');
  expect(alice.connected).toBe(true);
  rig.advance(5);
  expect(await refusalOf(join(rig.product, { version: 5, clientId: 'bridge-2', username: 'bridge' }))).toBe(0x86);
  await alice.endAsync();
});

test('a token key that is dropped disconnects what it let in; clients of another key and of a password stay', async () => {
  const issuer = { issuer: 'https://issuer.example/', audience: 'mqtt' };
  const [old, next] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const [oldKey, nextKey] = await Promise.all([exportJWK(old.publicKey), exportJWK(next.publicKey)]);
  const tokenOf = (username: string, { privateKey }: typeof old) =>
    new SignJWT({ iss: issuer.issuer, aud: issuer.audience, sub: username })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime(new Date(rig.now() + 3_600_000))
      .sign(privateKey);
  const putKeys = (...keys: object[]) => rig.api('PUT', `${demo}/token-issuer`, { ...issuer, keys: { keys } });
  expect((await putKeys(oldKey, nextKey)).status).toBe(201);
  rig.advance(5);
  const joinBy = async (username: string, pair: typeof old) =>
    join(rig.product, { version: 5, clientId: username, username, password: await tokenOf(username, pair) });
  const [dropped, kept, alice] = await Promise.all([
    joinBy('by-old', old),
    joinBy('by-next', next),
    join(rig.product, { version: 5, clientId: 'alice-1' }),
  ]);
  const told = farewell(dropped);
  expect((await putKeys(nextKey)).status).toBe(200);
  expect(await told).toBe(0x98);
  await eventually(async () => (await rig.used('by-old')) === 0, 'its session has ended');
  expect([kept.connected, alice.connected]).toEqual([true, true]);
  rig.advance(5);
  await expect(joinBy('by-old', old)).rejects.toMatchObject({ code: 0x86 });
  expect((await rig.api('DELETE', `${demo}/token-issuer`)).status).toBe(204);
  await eventually(async () => (await rig.used('by-next')) === 0, 'the issuer is gone, and its clients with it');
  expect(alice.connected).toBe(true);
  await alice.endAsync();
});

test('a username that is blocked is disconnected at once', async () => {
  await rig.limit(10);
  const alice = await join(rig.product, { version: 5, clientId: 'alice-1' });
  const told = farewell(alice);
  expect((await rig.api('PUT', `${demo}/session-limit/overrides/alice`, { limit: 'blocked' })).status).toBe(204);
  expect(await told).toBe(0x98);
  await eventually(async () => (await rig.used('alice')) === 0, 'its session has ended');
  rig.advance(5);
  expect(await refusalOf(join(rig.product, { version: 5, clientId: 'alice-2' }))).toBe(0x87);
  expect((await rig.api('DELETE', `${demo}/session-limit/overrides/alice`)).status).toBe(204);
});

test('a deployment that is suspended disconnects everybody, and refuses them as not authorized until it is resumed', async () => {
  rig.advance(5);
  const clients = await Promise.all([
    join(rig.product, { version: 5, clientId: 's-1' }),
    join(rig.product, { version: 5, clientId: 's-2', username: 'bob' }),
  ]);
  const told = Promise.all(clients.map(farewell));
  expect((await rig.api('PATCH', demo, { status: 'suspended' })).status).toBe(200);
  expect(await told).toEqual([0x98, 0x98]);
  rig.advance(5);
  expect(await refusalOf(join(rig.product, { version: 5, clientId: 's-3' }))).toBe(0x87);
  expect(await refusalOf(join(rig.product, { version: 4, clientId: 's-3' }))).toBe(5);
  expect(await refusalOf(join(rig.product, { version: 5, clientId: 's-3', password: 'wrong' }))).toBe(0x86);
  expect((await rig.api('PATCH', demo, { status: 'active' })).status).toBe(200);
  rig.advance(5);
  await (await join(rig.product, { version: 5, clientId: 's-3' })).endAsync();
});

test('a deployment that is deleted with 30 clients connected: all are disconnected, and in the end nothing is there', async () => {
  const made = await rig.api('POST', '/deployments', { name: 'Short-lived' });
  const id = String(made.body.deploymentId);
  const path = `/deployments/${id}`;
  expect((await rig.api('PUT', `${path}/credentials/dora`, { password: 'dora-secret' })).status).toBe(204);
  expect((await rig.api('PUT', `${path}/session-limit`, { whitelist: ['dora'] })).status).toBe(201);
  const clients: MqttClient[] = [];
  const target = { version: 5, username: `dora?deployment=${id}`, clean: false, expirySeconds: 600 } as const;
  const ids = Array.from({ length: 30 }, (_, n) => `d-${n}`);
  await inTens(ids, async (clientId) => clients.push(await join(rig.product, { ...target, clientId })));
  const told = Promise.all(clients.map(farewell));
  const operation = await start('DELETE', path);
  expect((await rig.api('GET', path)).body.status).toBe('deleting');
  expect(await rig.api('PUT', `${path}/credentials/eve`, {})).toMatchObject({
    status: 409,
    body: { code: 'deployment.deleting' },
  });
  expect(new Set(await told)).toEqual(new Set([0x98]));
  // What was admitted by what a process remembers is waited for; here the clock does not wait.
  rig.advance(5);
  // As one that never was, the right password or not (S6).
  expect(await refusalOf(join(rig.product, { ...target, clientId: 'late' }))).toBe(0x86);
  rig.advance(20);
  expect((await watch(operation)).at(-1)).toMatchObject({ status: 'done', finished: 30 });
  for (const sub of ['', '/session-limit', '/credentials', '/session-usage', '/clients/d-1', '/audit', '/rejections'])
    expect(await rig.api('GET', `${path}${sub}`)).toMatchObject({
      status: 404,
      body: { code: 'deployment.not_found' },
    });
  expect((await rig.api('DELETE', path)).status).toBe(404);
  const listed = (await rig.api('GET', '/deployments')).body.items as { deploymentId: string }[];
  expect(listed.map(({ deploymentId }) => deploymentId)).toEqual(['demo']);
}, 120_000);
