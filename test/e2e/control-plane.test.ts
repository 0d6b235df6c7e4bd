// What is set over HTTP, met at the wire: deployments and their server names, rejections (S5, S6, section 3).

import { once } from 'node:events';
import { connect as dialTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildConnect, join, refusalOf } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ env: { API_TOKENS: 'other=acme' } });
});
afterAll(() => rig.stop());

const quota = 151;
const badCredentials = 134;
const notAuthorized = 135;

async function createDeployment(): Promise<string> {
  const { status, body } = await rig.api('POST', '/deployments', { name: 'Fleet' });
  expect(status).toBe(201);
  const id = String(body.deploymentId);
  const put = await rig.api('PUT', `/deployments/${id}/credentials/alice`, { password: 'alice-secret' });
  expect(put.status).toBe(204);
  return id;
}

const overTls = (serverName: string, username = 'alice') =>
  join(rig.product, { version: 5, transport: 'tls', clientId: 'c1', serverName, username });

const usedOf = async (id: string) => (await rig.api('GET', `/deployments/${id}/session-usage/alice`)).body.used;

describe('a new deployment', () => {
  test('is reached by the server name of its id, and by one of its own', async () => {
    const id = await createDeployment();
    const host = `fleet-${id}.mqtt.localhost`;
    expect((await rig.api('PATCH', `/deployments/${id}`, { mqttHost: host })).body.mqttHost).toBe(host);
    for (const name of [`${id}.mqtt.localhost`, host, host.toUpperCase()]) {
      const client = await overTls(name);
      expect(await usedOf(id)).toBe(1);
      await client.endAsync();
      await eventually(async () => (await usedOf(id)) === undefined, 'the session is freed');
    }
    expect(await rig.used('alice')).toBe(0);
  });

  test('keeps its server name when the user name names another deployment', async () => {
    const id = await createDeployment();
    const host = `fleet-${id}.mqtt.localhost`;
    await rig.api('PATCH', `/deployments/${id}`, { mqttHost: host });
    const client = await overTls(host, 'alice?deployment=demo');
    expect(await usedOf(id)).toBe(1);
    expect(await rig.used('alice')).toBe(0);
    await client.endAsync();
  });

  test('S25: a foreign server name leaves the choice to the user name, and without one is bad credentials', async () => {
    for (const name of ['stranger.example.com', 'mqtt.localhost']) {
      const client = await overTls(name, 'alice?deployment=demo');
      await client.endAsync();
      expect(await refusalOf(overTls(name))).toBe(badCredentials);
    }
  });

  test('S25: an unknown name below the MQTT domain is bad credentials, whatever the user name says', async () => {
    for (const name of ['nobody.mqtt.localhost', 'a.demo.mqtt.localhost', `${'x'.repeat(40)}.mqtt.localhost`])
      for (const username of ['alice', 'alice?deployment=demo'])
        expect(await refusalOf(overTls(name, username))).toBe(badCredentials);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('S25: the name of a resumed session of %s decides', async (version) => {
    const id = await createDeployment();
    const visit = async (servername: string, username: string, session?: Buffer) => {
      const socket = dialTls({
        ...{ host: '127.0.0.1', port: rig.product.mqttsPort, servername, rejectUnauthorized: false },
        ...{ minVersion: version, maxVersion: version, ...(session === undefined ? {} : { session }) },
      });
      let ticket: Buffer | undefined;
      socket.on('session', (given: Buffer) => {
        ticket = given;
      });
      const answered = once(socket, 'data');
      socket.write(buildConnect({ version: 5, clientId: 'resumed', username }));
      const [connack] = (await answered) as [Buffer];
      const reused = socket.isSessionReused();
      const used = [await rig.used('alice'), await usedOf(id)];
      socket.destroy();
      await eventually(async () => (await usedOf(id)) === undefined && (await rig.used('alice')) === 0, 'it is freed');
      return { code: connack[3], reused, used, ticket };
    };
    const own = `${id}.mqtt.localhost`;
    const first = await visit(own, 'alice');
    expect(first).toMatchObject({ code: 0, reused: false, used: [0, 1] });
    expect(await visit(own, 'alice?deployment=demo', first.ticket)).toMatchObject({
      code: 0,
      reused: true,
      used: [0, 1],
    });
    const unknown = await visit('nobody.mqtt.localhost', 'alice?deployment=demo', first.ticket);
    expect(unknown).toMatchObject({ code: badCredentials, used: [0, undefined] });
    const other = await visit('demo.mqtt.localhost', `alice?deployment=${id}`, first.ticket);
    expect(other).toMatchObject({ code: 0, used: [1, undefined] });
  });

  test('suspended, it says so after valid credentials only', async () => {
    const id = await createDeployment();
    await rig.api('PATCH', `/deployments/${id}`, { status: 'suspended' });
    rig.advance(5);
    const name = `${id}.mqtt.localhost`;
    expect(await refusalOf(overTls(name))).toBe(notAuthorized);
    const wrong = join(rig.product, { version: 5, transport: 'tls', clientId: 'c1', serverName: name, password: 'no' });
    expect(await refusalOf(wrong)).toBe(badCredentials);
    await rig.api('PATCH', `/deployments/${id}`, { status: 'active' });
    rig.advance(5);
    const client = await overTls(name);
    await client.endAsync();
  });
});

test('S5: rejections are counted exactly, with their last client id, also of a username without a session', async () => {
  await rig.limit(1);
  const usage = async (username: string) => (await rig.api('GET', `/deployments/demo/session-usage/${username}`)).body;
  expect((await rig.api('GET', '/deployments/demo/session-usage/bob')).status).toBe(404);
  const held = await join(rig.product, { version: 5, clientId: 'held', username: 'bob' });
  for (const clientId of ['x1', 'x2', 'x3', 'x4'])
    expect(await refusalOf(join(rig.product, { version: 5, clientId, username: 'bob' }))).toBe(quota);
  // The first is written at once, the others when 10 s of the product's clock have gone by.
  await eventually(async () => Number((await usage('bob')).rejections) >= 1, 'the first rejection is shown');
  rig.advance(10);
  await eventually(async () => (await usage('bob')).rejections === 4, 'all rejections are shown');
  await held.endAsync();
  await eventually(async () => (await usage('bob')).used === 0, 'it has no session any more');
  const shown = await usage('bob');
  expect(shown).toMatchObject({ used: 0, connected: 0, rejections: 4, lastRejectedAt: expect.any(String) });

  const recent = (await rig.api('GET', '/deployments/demo/rejections')).body.items;
  const { lastRejectedAt } = shown;
  expect(recent).toEqual([{ username: 'bob', clientId: 'x4', reason: 'quota', rejections: 4, lastRejectedAt }]);
  const last = (await rig.api('GET', '/deployments/demo/session-usage/bob/rejections')).body.items;
  expect((last as object[]).length).toBe(4);
  expect((last as object[])[0]).toEqual({ at: lastRejectedAt, clientId: 'x4', reason: 'quota' });
  const hours = (await rig.api('GET', '/deployments/demo/rejections?interval=hour')).body.items;
  expect((hours as { rejections: number }[]).reduce((sum, hour) => sum + hour.rejections, 0)).toBe(4);
});

test('the tenants that tokens name exist: they make deployments, which only they see', async () => {
  const call = (token: string, method: string, path: string, body?: object) =>
    fetch(`http://127.0.0.1:${rig.product.httpPort}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const created = await call('other', 'POST', '/deployments', { name: 'Theirs' });
  expect(created.status).toBe(201);
  const { deploymentId } = (await created.json()) as { deploymentId: string };
  expect((await call('other', 'GET', `/deployments/${deploymentId}`)).status).toBe(200);
  expect((await call('local', 'GET', `/deployments/${deploymentId}`)).status).toBe(404);
});
