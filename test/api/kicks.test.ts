// Kicks and operations over HTTP (S15, S19, S21): what is answered, and to whom.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DeploymentId, OperationId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { connectLongAgo } from './connected.ts';
import { type Answered, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.woken.length = 0;
  rig.broker.kick = async () => 'done';
});

const local = 'local' as TenantId;

const connect = (clientId: string) => connectLongAgo(rig, clientId, 'alice');

const used = async (): Promise<number> =>
  (await rig.sessions.readRoster('demo' as DeploymentId, 'alice' as Username)).used;

function idOf({ json, headers, status }: Answered): OperationId {
  expect(status).toBe(202);
  const { operationId } = json as { operationId: OperationId };
  expect(headers.get('location')).toBe(`/v1/operations/${operationId}`);
  return operationId;
}

test('a client is kicked: 204; so is its tombstone; what is unknown is not', async () => {
  await connect('c1');
  expect((await rig.request('DELETE', 'clients/c1')).status).toBe(204);
  expect(await used()).toBe(0);
  expect((await rig.request('DELETE', 'clients/~YzE')).status).toBe(204);
  expect(await used()).toBe(0);
  const unknown = await rig.request('DELETE', 'clients/never');
  expect([unknown.status, unknown.json]).toEqual([404, expect.objectContaining({ code: 'client.not_found' })]);
});

test('a kick of one client is audited, also where the broker does not answer; of an unknown one there is nothing', async () => {
  await connect('c9');
  const kicks = async () => {
    const { items } = (await rig.request('GET', 'audit?limit=100')).json as {
      items: { action: string; subject: string }[];
    };
    return items.filter(({ action, subject }) => action === 'client.kicked' && subject !== 'c1');
  };
  rig.broker.kick = async () => 'unknown';
  await rig.request('DELETE', 'clients/c9');
  expect(await kicks()).toEqual([expect.objectContaining({ subject: 'c9', actor: 'API_TOKEN' })]);
  rig.broker.kick = async () => 'done';
  expect((await rig.request('DELETE', 'clients/c9')).status).toBe(204);
  expect((await rig.request('DELETE', 'clients/never')).status).toBe(404);
  expect(await kicks()).toHaveLength(2);
});

test('a broker that does not answer: 503 to try again, and the client stays counted', async () => {
  await connect('c2');
  const before = await used();
  rig.broker.kick = async () => 'unknown';
  const answered = await rig.request('DELETE', 'clients/c2');
  expect([answered.status, answered.json]).toEqual([503, expect.objectContaining({ code: 'broker.unavailable' })]);
  expect(answered.headers.get('retry-after')).toBe('1');
  expect(await used()).toBe(before);
});

test('kicking a username answers where to read how far it is', async () => {
  const operationId = idOf(await rig.request('DELETE', 'session-usage/bob/sessions'));
  expect(rig.woken).toEqual([{ tenantId: 'local', operationId, certain: true }]);
  const read = await rig.request('GET', `/v1/operations/${operationId}`);
  expect([read.status, read.json]).toEqual([
    200,
    { status: 'running', finished: 0, startedAt: new Date(rig.now).toISOString() },
  ]);
});

test('a token that may kick reads its kicks, one and all, and nothing else', async () => {
  const token = 'only-sessions-kick';
  const others = idOf(await rig.request('DELETE', 'session-usage/bob/sessions'));
  const own = idOf(await rig.request('DELETE', 'session-usage/bob/sessions', { token }));
  expect((await rig.request('GET', `/v1/operations/${own}`, { token })).json).toMatchObject({ status: 'running' });
  const refused = await rig.request('GET', `/v1/operations/${others}`, { token });
  expect([refused.status, refused.json]).toEqual([403, expect.objectContaining({ code: 'forbidden' })]);
  expect((await rig.request('GET', '/v1/operations', { token })).json).toEqual({
    items: [expect.objectContaining({ operationId: own })],
  });
});

test("operations are listed newest first, in pages, with what each follows, and no other tenant's", async () => {
  rig.now += 1_000;
  const first = idOf(await rig.request('DELETE', 'session-usage/bob/sessions'));
  rig.now += 1_000;
  const second = idOf(await rig.request('DELETE', 'session-usage/al%20ice/sessions'));
  const page = (await rig.request('GET', '/v1/operations?limit=1')).json as { items: unknown[]; nextCursor: string };
  const running = { deploymentId: 'demo', kind: 'kick', status: 'running', finished: 0 };
  const startedAt = (ago: number) => new Date(rig.now - ago).toISOString();
  expect(page.items).toEqual([{ ...running, operationId: second, username: 'al ice', startedAt: startedAt(0) }]);
  const next = await rig.request('GET', `/v1/operations?limit=1&cursor=${page.nextCursor}`);
  expect(next.json).toMatchObject({
    items: [{ ...running, operationId: first, username: 'bob', startedAt: startedAt(1_000) }],
  });
  const foreign = await rig.request('GET', '/v1/operations', { token: 'foreign' });
  expect(foreign.json).toEqual({ items: [expect.objectContaining({ operationId: 'operation-of-foreign' })] });
  for (const cursor of ['x', `${page.nextCursor}A`])
    expect((await rig.request('GET', `/v1/operations?limit=1&cursor=${cursor}`)).status).toBe(400);
});

test("another tenant's operation answers as a missing one, byte for byte", async () => {
  const operationId = idOf(await rig.request('DELETE', 'session-usage/bob/sessions'));
  const visible = async (id: string, token: string) => {
    const { status, text } = await rig.request('GET', `/v1/operations/${id}`, { token });
    return { status, text };
  };
  const missing = await visible('00000000-0000-4000-8000-000000000000', 'foreign');
  expect(missing).toMatchObject({ status: 404, text: expect.stringContaining('operation.not_found') });
  expect(await visible(operationId, 'foreign')).toEqual(missing);
  for (const id of ['Not%20an%20id', 'a|b', 'x'.repeat(200)]) expect(await visible(id, 'foreign')).toEqual(missing);
  expect((await rig.request('GET', `/v1/operations/${operationId}`, { token: 'read' })).status).toBe(403);
  expect((await rig.request('GET', `/v1/operations/${operationId}`, { token: '' })).status).toBe(401);
});

test('an MQTT user that is removed, a username that is blocked, a deployment that is suspended: each wakes one operation', async () => {
  await rig.request('PUT', 'credentials/bob', { body: {} });
  await rig.request('PUT', 'session-limit', { body: {} });
  const answers = [
    await rig.request('DELETE', 'credentials/bob'),
    await rig.request('PUT', 'session-limit/overrides/bob', { body: { limit: 'blocked' } }),
    await rig.request('PATCH', '', { body: { status: 'suspended' } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 200]);
  // And says where to read how far it is.
  const named = rig.woken.map(({ operationId }) => `/v1/operations/${operationId}`);
  expect(answers.map(({ headers }) => headers.get('location'))).toEqual(named);
  const causes = await Promise.all(
    rig.woken.map(async (message) => (await rig.operations.readOperation(message))?.value.cause),
  );
  expect(causes).toEqual([
    { kind: 'credential_removed', username: 'bob' },
    { kind: 'username_blocked', username: 'bob' },
    { kind: 'deployment_suspended' },
  ]);
  expect((await rig.request('PATCH', '', { body: { status: 'active' } })).status).toBe(200);
});

test('what changes nothing disconnects nobody, and leaves no operation behind', async () => {
  const listed = async () => (await rig.operations.listOverdue(ms(rig.now + 1_000_000), 50)).length;
  const before = await listed();
  expect((await rig.request('DELETE', 'credentials/nobody')).status).toBe(404);
  expect((await rig.request('PUT', 'session-limit/overrides/eve', { body: { limit: 3 } })).status).toBe(204);
  const stale = { body: { limit: 'blocked' }, headers: { 'if-match': '"999"' } };
  expect((await rig.request('PUT', 'session-limit/overrides/eve', stale)).status).toBe(412);
  expect((await rig.request('PATCH', '', { body: { name: 'Another' } })).status).toBe(200);
  expect(rig.woken).toEqual([]);
  expect(await listed()).toBe(before);
});

test('a deployment that is being deleted says so, can be read, takes no change, and can be deleted again', async () => {
  const made = await rig.request('POST', '/v1/deployments', { body: { name: 'Short-lived' } });
  const path = `/v1/deployments/${(made.json as { deploymentId: string }).deploymentId}`;
  const operationId = idOf(await rig.request('DELETE', path));
  expect((await rig.request('GET', path)).json).toMatchObject({ status: 'deleting' });
  for (const [method, sub, body] of [
    ['PUT', '/session-limit', {}],
    ['PUT', '/credentials/bob', {}],
    ['PATCH', '', { status: 'active' }],
    ['DELETE', '/clients/c1', undefined],
  ] as const) {
    const answered = await rig.request(method, `${path}${sub}`, { body });
    expect([answered.status, answered.json]).toEqual([409, expect.objectContaining({ code: 'deployment.deleting' })]);
  }
  expect(idOf(await rig.request('DELETE', path))).toBe(operationId);
  const stored = await rig.operations.readOperation({ tenantId: local, operationId });
  expect(stored?.value).toMatchObject({ cause: { kind: 'deployment_deleted' }, status: 'running' });
});
