// Tenants, deployments, rejections and audit records over HTTP.

import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import type { DeploymentId, TenantId } from '../../shared/domain/ids.ts';
import type { RecordedReason } from '../../shared/domain/refusal.ts';
import { defaultsOf, deploymentSettings } from '../../shared/domain/settings.ts';
import { rejectionSum } from '../support/rejection-sum.ts';
import { type Answered, faultsOf, type Rig, startRig } from './rig.ts';

const publicKeys = {
  keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })],
};

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

interface Page {
  readonly items: Record<string, unknown>[];
  readonly nextCursor?: string;
}

async function readAll(path: string, token = 'local'): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor = ''; ; ) {
    const answered = await rig.request('GET', `${path}${cursor}`, { token });
    expect([answered.status, answered.text]).toEqual([200, expect.any(String)]);
    const page = answered.json as Page;
    items.push(...page.items);
    if (page.nextCursor === undefined) return items;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

describe('tenants', () => {
  test('are created and listed by the operator, each once', async () => {
    const created = await rig.request('POST', '/v1/tenants', { body: { tenantId: 'acme' } });
    const acme = { tenantId: 'acme', createdAt: '2026-11-22T17:00:00.250Z' };
    expect([created.status, created.json]).toEqual([201, acme]);
    const again = await rig.request('POST', '/v1/tenants', { body: { tenantId: 'acme' } });
    expect([again.status, again.json]).toEqual([409, expect.objectContaining({ code: 'tenant.exists' })]);
    const listed = await readAll('/v1/tenants?limit=1');
    expect(listed.map((tenant) => tenant.tenantId)).toEqual(['acme', 'foreign', 'local']);
    expect(listed[0]).toEqual(acme);
  });

  test.each([[{}], [{ tenantId: 'Not An Id' }], [{ tenantId: 5 }], [{ tenantId: 'x', name: 'X' }]])(
    '%j is no tenant',
    async (body) => {
      const answered = await rig.request('POST', '/v1/tenants', { body });
      expect([answered.status, faultsOf(answered).length]).toEqual([400, 1]);
    },
  );

  test('only the operator sees them', async () => {
    expect((await rig.request('GET', '/v1/tenants', { token: 'foreign' })).status).toBe(403);
    expect((await rig.request('POST', '/v1/tenants', { token: 'foreign', body: {} })).status).toBe(403);
  });
});

async function create(name = 'Fleet', token = 'local'): Promise<string> {
  const { json } = await rig.request('POST', '/v1/deployments', { token, body: { name } });
  return (json as { deploymentId: string }).deploymentId;
}

describe('a deployment', () => {
  test('is created with an id of its own and the defaults of the contract, and is there from then on', async () => {
    const created = await rig.request('POST', '/v1/deployments', { body: { name: 'Fleet' } });
    expect(created.status).toBe(201);
    const { deploymentId } = created.json as { deploymentId: string };
    expect(created.json).toEqual({
      deploymentId: expect.stringMatching(/^[a-z0-9]{12}$/),
      name: 'Fleet',
      mqttHost: `${deploymentId}.mqtt.localhost`,
      status: 'active',
      ...defaultsOf(deploymentSettings),
      createdAt: '2026-11-22T17:00:00.250Z',
    });
    const location = created.headers.get('location') ?? '';
    expect(location).toBe(`/v1/deployments/${deploymentId}`);
    const read = await rig.request('GET', location);
    expect(read.json).toEqual(created.json);
    expect([created.headers.get('etag'), read.headers.get('etag')]).toEqual(['"1"', '"1"']);
    expect((await rig.request('GET', location, { token: 'foreign' })).status).toBe(404);
    const ids = (await readAll('/v1/deployments?limit=1')).map((one) => one.deploymentId);
    expect(ids).toEqual([...ids].sort());
    expect(ids).toContain(deploymentId);
  });

  describe('made under an Idempotency-Key', () => {
    const post = (key: string, name: string, token = 'local') =>
      rig.request('POST', '/v1/deployments', { token, body: { name }, headers: { 'idempotency-key': key } });
    const idOf = ({ json }: Answered) => (json as { deploymentId: string }).deploymentId;

    test('is one, whoever asks first of many at once, and is answered as it is now', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => post('k1', 'Keyed')));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
      const [id = '', ...others] = new Set(answers.map(idOf));
      expect(others).toEqual([]);
      const all = await readAll('/v1/deployments');
      expect(all.filter(({ name }) => name === 'Keyed')).toHaveLength(1);
      await rig.request('PATCH', `/v1/deployments/${id}`, { body: { name: 'Renamed' } });
      const again = await post('k1', 'Keyed');
      expect([again.status, again.json]).toEqual([200, expect.objectContaining({ deploymentId: id, name: 'Renamed' })]);
      expect([again.headers.get('location'), again.headers.get('etag')]).toEqual([`/v1/deployments/${id}`, '"2"']);
    });

    test('is not made of another body under the same key, and is of another tenant', async () => {
      const mine = idOf(await post('k2', 'Keyed'));
      const other = await post('k2', 'Other');
      expect([other.status, other.json]).toEqual([422, expect.objectContaining({ code: 'idempotency_key.reused' })]);
      const theirs = await post('k2', 'Other', 'foreign');
      expect(theirs.status).toBe(201);
      expect(idOf(theirs)).not.toBe(mine);
      for (const key of ['', 'a b', 'x'.repeat(256)]) {
        const answered = await post(key, 'Keyed');
        expect([answered.status, faultsOf(answered)]).toEqual([400, ['header idempotency-key']]);
      }
    });

    test('is another one where the first is deleted, or was made a day ago', async () => {
      const first = idOf(await post('k3', 'Keyed'));
      await rig.request('DELETE', `/v1/deployments/${first}`);
      const made = await Promise.all([post('k3', 'Keyed'), post('k3', 'Keyed')]);
      const [second, ...others] = new Set(made.map(idOf));
      expect(others).toEqual([]);
      expect(second).not.toBe(first);
      rig.now += 86_400_000 - 1;
      expect((await post('k3', 'Keyed')).status).toBe(200);
      rig.now += 1;
      expect((await post('k3', 'Keyed')).status).toBe(201);
      rig.now -= 86_400_000;
    });
  });

  test('needs a tenant that the operator created', async () => {
    const { status, json } = await rig.request('POST', '/v1/deployments', { token: 'nobody', body: { name: 'x' } });
    expect([status, json]).toEqual([403, expect.objectContaining({ code: 'tenant.unknown' })]);
    expect(await rig.settings.listDeployments('nobody' as TenantId, { limit: 1 })).toEqual([]);
  });

  test.each([
    [{}, ['body name']],
    [{ name: '' }, ['body name']],
    [{ name: ' \u2003' }, ['body name']],
    [{ name: 'x'.repeat(257) }, ['body name']],
    [{ name: 'a\nb' }, ['body name']],
    [{ name: 'x', mqttHost: 'a.example.com', nope: 1 }, ['body mqttHost', 'body nope']],
  ])('%j makes none', async (body, faults) => {
    const answered = await rig.request('POST', '/v1/deployments', { body });
    expect([answered.status, faultsOf(answered)]).toEqual([400, faults]);
  });

  test('is changed in part; every fault is named at once and then nothing is', async () => {
    const id = await create();
    const path = `/v1/deployments/${id}`;
    const changes = {
      name: '\u{1F600}'.repeat(256),
      mqttHost: `Broker-${id}.MQTT.localhost`,
      status: 'suspended',
      sessionExpirySeconds: 604_800,
      clientIdTakeover: 'allow',
      onStoreFailure: 'admit',
    };
    const changed = await rig.request('PATCH', path, { body: changes });
    expect([changed.status, changed.json]).toEqual([
      200,
      expect.objectContaining({ ...changes, mqttHost: `broker-${id}.mqtt.localhost` }),
    ]);
    expect(changed.headers.get('etag')).toBe('"2"');
    const wrong = {
      name: 5,
      mqttHost: 'no-dots',
      status: 'deleting',
      sessionExpirySeconds: 604_801,
      clientIdTakeover: 'ask',
      onStoreFailure: null,
      tenantId: 'foreign',
    };
    const refused = await rig.request('PATCH', path, { body: wrong });
    expect([refused.status, faultsOf(refused).sort()]).toEqual([
      400,
      Object.keys(wrong)
        .map((name) => `body ${name}`)
        .sort(),
    ]);
    expect((await rig.request('GET', path)).json).toEqual(changed.json);
    const none = await rig.request('PATCH', path, { body: { mqttHost: null } });
    expect(none.json).toMatchObject({ mqttHost: null, name: changes.name });
  });

  test('is not changed by who saw an older version', async () => {
    const path = `/v1/deployments/${await create()}`;
    const change = (name: string, tag: string) =>
      rig.request('PATCH', path, { body: { name }, headers: { 'if-match': tag } });
    expect((await change('Two', '"1"')).status).toBe(200);
    const stale = await change('Three', '"1"');
    expect([stale.status, stale.json]).toEqual([412, expect.objectContaining({ code: 'precondition.failed' })]);
    expect((await change('Three', '"1", "2"')).headers.get('etag')).toBe('"3"');
    expect((await change('Four', '*')).status).toBe(200);
  });

  test('S25: takes one label below the MQTT domain as its server name, and nothing else', async () => {
    const mine = await create();
    const patch = (mqttHost: string | null) => rig.request('PATCH', `/v1/deployments/${mine}`, { body: { mqttHost } });
    for (const refused of [
      'mqtt.acme.com',
      'mqtt.localhost',
      'a.b.mqtt.localhost',
      `${mine}.mqtt.localhost.`,
      'x-ats.iot.eu-central-1.amazonaws.com',
      'localhost',
      '',
    ]) {
      const answered = await patch(refused);
      expect([refused, answered.status, faultsOf(answered)]).toEqual([refused, 400, ['body mqttHost']]);
    }
    for (const taken of [`fleet-${mine}.mqtt.localhost`, `${mine}.mqtt.localhost`, null])
      expect((await patch(taken)).json).toMatchObject({ mqttHost: taken });
  });

  test('S25: the name of another deployment is not available, also one of another tenant, set or of its id', async () => {
    const [mine, other, theirs] = [await create(), await create(), await create('Fleet', 'foreign')];
    const patch = (id: string, mqttHost: string | null, token?: string) =>
      rig.request('PATCH', `/v1/deployments/${id}`, { body: { mqttHost }, ...(token === undefined ? {} : { token }) });
    expect((await patch(other, `own-${other}.mqtt.localhost`)).status).toBe(200);
    expect((await patch(theirs, `own-${theirs}.mqtt.localhost`, 'foreign')).status).toBe(200);
    const answers = await Promise.all(
      [other, theirs, `own-${other}`, `own-${theirs}`].map((label) => patch(mine, `${label}.mqtt.localhost`)),
    );
    // The same for all of them: it says nothing of whose the name is, or why.
    for (const { status, json } of answers)
      expect([status, json]).toEqual([409, expect.objectContaining({ code: 'mqtt_host.taken' })]);
    for (const { json } of answers) expect(json).toEqual(answers[0]?.json);
    expect((await rig.request('GET', `/v1/deployments/${mine}`)).json).toMatchObject({
      mqttHost: `${mine}.mqtt.localhost`,
    });
    // Also one that has no name set is found by its id, and only it.
    expect((await patch(other, null)).status).toBe(200);
    expect((await patch(mine, `${other}.mqtt.localhost`)).status).toBe(409);
    expect((await patch(mine, `own-${other}.mqtt.localhost`)).status).toBe(200);
  });
});

describe('rejections', () => {
  async function reject(id: string, username: string, at: number, count = 1, reason: RecordedReason = 'quota') {
    await rig.rejections.addRejections(rejectionSum({ deploymentId: id, username, at, count, reason }));
  }

  test('are listed newest first, in pages, with the client that was rejected last', async () => {
    const id = await create();
    for (const [n, username] of ['a|b', '|', 'carol', 'ünï', 'x'.repeat(256)].entries())
      await reject(id, username, rig.now + n, n + 1);
    const found = await readAll(`/v1/deployments/${id}/rejections?limit=2`);
    expect(found.map((one) => one.username)).toEqual(['x'.repeat(256), 'ünï', 'carol', '|', 'a|b']);
    expect(found[2]).toEqual({
      username: 'carol',
      clientId: 'carol-client',
      reason: 'quota',
      rejections: 3,
      lastRejectedAt: '2026-11-22T17:00:00.252Z',
    });
  });

  test('are counted by the hour, newest first, as long as they are kept', async () => {
    const id = await create();
    const path = `/v1/deployments/${id}/rejections?interval=hour`;
    const hour = 3_600_000;
    await reject(id, 'alice', rig.now, 2);
    await reject(id, 'bob', rig.now - 1, 3);
    await reject(id, 'bob', rig.now - 3 * hour, 4);
    await reject(id, 'bob', rig.now - 29 * 24 * hour, 5);
    await reject(id, 'bob', rig.now - 31 * 24 * hour, 6);
    expect(await readAll(`${path}&limit=1`)).toEqual([
      { hour: '2026-11-22T17:00:00.000Z', rejections: 5 },
      { hour: '2026-11-22T14:00:00.000Z', rejections: 4 },
      { hour: '2026-10-24T17:00:00.000Z', rejections: 5 },
    ]);
    expect((await rig.request('GET', `/v1/deployments/${id}/rejections?interval=day`)).status).toBe(400);
  });

  test('are one of each username and reason, found by reason, username and time', async () => {
    const id = await create();
    await reject(id, 'alice', rig.now);
    await reject(id, 'alice', rig.now + 2, 2, 'blocked');
    await reject(id, 'b+b', rig.now + 4, 1, 'client_id_invalid');
    const path = `/v1/deployments/${id}/rejections?limit=1`;
    const found = async (filter: string) =>
      (await readAll(`${path}${filter}`)).map(({ username, reason, rejections }) => [username, reason, rejections]);
    const all = [
      ['b+b', 'client_id_invalid', 1],
      ['alice', 'blocked', 2],
      ['alice', 'quota', 1],
    ];
    expect(await found('')).toEqual(all);
    expect(await found('&reason=blocked')).toEqual([all[1]]);
    expect(await found('&username=alice')).toEqual(all.slice(1));
    expect(await found('&username=b%2Bb')).toEqual([all[0]]);
    expect(await found('&from=2026-11-22T17:00:00.252Z&to=2026-11-22T18:00:00.254%2B01:00')).toEqual([all[1]]);
    for (const [filter, name] of [
      ['&reason=evicted', 'reason'],
      ['&username=', 'username'],
      ['&from=yesterday', 'from'],
      ['&from=2026-02-30T00:00:00Z', 'from'],
      ['&to=2026-11-30T24:00:00Z', 'to'],
      ['&to=2026-11-22', 'to'],
      ['&interval=hour&reason=quota', 'reason'],
      ['&interval=hour&from=2026-11-22T17:00:00Z', 'from'],
    ])
      expect(faultsOf(await rig.request('GET', `${path}${filter}`)), filter).toEqual([`query ${name}`]);
  });

  test('the last ones of a username say when, which client id and why', async () => {
    const id = await create();
    await reject(id, 'alice', rig.now, 1, 'suspended');
    await reject(id, 'alice', rig.now + 1);
    await reject(id, 'bob', rig.now + 2);
    expect(await readAll(`/v1/deployments/${id}/session-usage/alice/rejections?`)).toEqual([
      { at: '2026-11-22T17:00:00.251Z', clientId: 'alice-client', reason: 'quota' },
      { at: '2026-11-22T17:00:00.250Z', clientId: 'alice-client', reason: 'suspended' },
    ]);
    expect(await readAll(`/v1/deployments/${id}/session-usage/nobody/rejections?`)).toEqual([]);
  });

  test('a cursor is worth nothing in the other list', async () => {
    const id = await create();
    for (const username of ['a', 'b']) await reject(id, username, rig.now);
    const path = `/v1/deployments/${id}/rejections?limit=1`;
    const { nextCursor } = (await rig.request('GET', path)).json as Page;
    expect((await rig.request('GET', `${path}&interval=hour&cursor=${nextCursor}`)).status).toBe(400);
  });
});

test('who changed what is listed newest first, by whom and when', async () => {
  const id = await create('Audited');
  const path = `/v1/deployments/${id}`;
  await rig.request('PATCH', path, { body: { status: 'suspended' } });
  await rig.request('PUT', `${path}/session-limit`, { body: { maxSessionsPerUsername: 5 } });
  await rig.request('PUT', `${path}/session-limit/overrides/bob`, { body: { limit: 'blocked' } });
  await rig.request('PATCH', path, { body: { status: 'nonsense' } });
  const records = await readAll(`${path}/audit?limit=1`);
  const byWhom = { at: '2026-11-22T17:00:00.250Z', actor: 'API_TOKEN' };
  expect(records.map((record) => record.action).sort()).toEqual([
    'deployment.created',
    'deployment.suspended',
    'override.set',
    'session_limit.configured',
  ]);
  for (const record of records) expect(record).toMatchObject(byWhom);
  expect(records.find((record) => record.action === 'override.set')).toEqual({
    ...byWhom,
    action: 'override.set',
    subject: 'bob',
    before: null,
    after: { username: 'bob', limit: 'blocked' },
  });
});

test('who added, changed and removed an MQTT user is listed too, without any password', async () => {
  const id = await create('Users');
  const path = `/v1/deployments/${id}`;
  const user = `${path}/credentials/carol`;
  await rig.request('PUT', user, { body: {} });
  await rig.request('PUT', user, { body: { password: 'carols-own-secret' } });
  expect((await rig.request('DELETE', user)).status).toBe(204);
  expect((await rig.request('DELETE', user)).status).toBe(404);
  await rig.request('PUT', user, { body: { password: '' } });
  const records = await readAll(`${path}/audit`);
  const carol = { username: 'carol' };
  const told = records.filter(({ action }) => String(action).startsWith('credential.'));
  expect(new Set(told.map(({ action, before, after, actor }) => ({ action, before, after, actor })))).toEqual(
    new Set([
      { action: 'credential.added', before: null, after: carol, actor: 'API_TOKEN' },
      { action: 'credential.password_set', before: carol, after: carol, actor: 'API_TOKEN' },
      { action: 'credential.removed', before: carol, after: null, actor: 'API_TOKEN' },
    ]),
  );
  expect(told).toHaveLength(3);
});

test("a tenant's audit tells of all its deployments, deleted ones too, newest first, and of no other tenant's", async () => {
  const before = rig.now;
  const ids = [await create('One'), await create('Two')];
  const changes = [
    ['PUT', '/session-limit', {}],
    ['PATCH', '/session-limit', { enabled: false }],
    ['PUT', '/session-limit/overrides/bob', { limit: 5 }],
    ['DELETE', '/session-limit/overrides/bob'],
    ['DELETE', '/session-limit'],
    ['PUT', '/credentials/carol', {}],
    ['DELETE', '/credentials/carol'],
    ['PATCH', '', { status: 'suspended' }],
    ['PATCH', '', { status: 'active' }],
    ['PUT', '/token-issuer', { issuer: 'i', audience: 'a', keys: publicKeys }],
    ['DELETE', '/token-issuer'],
    ['DELETE', '/session-usage/bob/sessions'],
    ['DELETE', ''],
  ] as const;
  for (const [method, path, body] of changes)
    for (const id of ids) {
      rig.now += 1_000;
      const answered = await rig.request(method, `/v1/deployments/${id}${path}`, { body });
      expect([path, answered.status, answered.status < 300 ? '' : answered.text]).toEqual([path, answered.status, '']);
    }
  const items = createDeploymentItems(rig.client, rig.tableName);
  for (let from: string | undefined; ; ) {
    const { next } = await items.removeSome(ids[0] as DeploymentId, from);
    from = next;
    if (from === undefined) break;
  }
  await items.removeDeployment(ids[0] as DeploymentId, 'local' as TenantId);
  expect((await rig.request('GET', `/v1/deployments/${ids[0]}/audit`)).status).toBe(404);

  const records = (await readAll('/v1/audit?limit=7')).filter(({ at }) => Date.parse(String(at)) > before);
  const told = (id: string) => records.filter(({ deploymentId }) => deploymentId === id).map(({ action }) => action);
  const actions = [
    'session_limit.configured',
    'session_limit.disabled',
    'override.set',
    'override.deleted',
    'session_limit.deleted',
    'credential.added',
    'credential.removed',
    'deployment.suspended',
    'deployment.resumed',
    'token_issuer.set',
    'token_issuer.deleted',
    'username.kicked',
    'deployment.deleted',
  ];
  for (const id of ids) expect(told(id)).toEqual([...actions].reverse());
  expect(records.find(({ action }) => action === 'username.kicked')).toEqual({
    deploymentId: ids[1],
    at: new Date(rig.now - 2_000).toISOString(),
    actor: 'API_TOKEN',
    action: 'username.kicked',
    subject: 'bob',
    before: null,
    after: null,
  });
  const foreign = await readAll('/v1/audit?limit=100', 'foreign');
  expect(foreign.filter(({ deploymentId }) => ids.includes(String(deploymentId)))).toEqual([]);
  rig.now = before;
});
