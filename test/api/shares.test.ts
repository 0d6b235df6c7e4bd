// S24: one tenant's requests hold up nobody else's. Answers in the order in which they come, never by time.

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { shareBounds } from '../../functions/api/shares.ts';
import { BatchWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { tenantPk } from '../../shared/adapters/dynamodb/common/keys.ts';
import { deploymentsPerTenantMax, runningOperationsMax } from '../../shared/config/constants.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
afterEach(() => {
  vi.restoreAllMocks();
  rig.usage.overLimit = async () => 0;
});

/** The answer to a change of a limit waits until it is let go. */
function holdLimits(): { readonly begun: () => number; readonly letGo: () => void } {
  let begun = 0;
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  rig.usage.overLimit = async () => {
    begun += 1;
    await held;
    return 0;
  };
  return { begun: () => begun, letGo };
}

const put = (token: string, path: string, max: number) =>
  rig.request('PUT', path, { token, body: { maxSessionsPerUsername: max } });
const mine = '/v1/deployments/demo/session-limit';
const theirs = '/v1/deployments/theirs/session-limit';

test('of one tenant one whole limit is replaced at a time, those beyond the bound are told to come again', async () => {
  const { begun, letGo } = holdLimits();
  const most = shareBounds.heavy.present;
  const asked = Array.from({ length: most }, (_, n) => put('local', mine, n + 1));
  const refused = await put('local', mine, 99);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(refused.json).toMatchObject({ code: 'requests.too_many', detail: expect.stringContaining(String(most)) });
  await vi.waitFor(() => expect(begun()).toBe(1));
  // What takes no long work is answered meanwhile, of this tenant and of another.
  expect((await rig.request('GET', '')).status).toBe(200);
  expect((await rig.request('GET', '/v1/deployments/theirs', { token: 'foreign' })).status).toBe(200);
  // And so is another tenant's long work, begun.
  const other = put('foreign', theirs, 5);
  await vi.waitFor(() => expect(begun()).toBe(2));
  letGo();
  const statuses = (await Promise.all([...asked, other])).map(({ status }) => status);
  expect(statuses.filter((status) => status >= 400)).toEqual([]);
  expect((await put('local', mine, 100)).status).toBe(200);
});

test('a request without a valid token is answered before anything of its body or of the table is read', async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000));
      },
    },
    { highWaterMark: 0 },
  );
  const sent = vi.spyOn(rig.client, 'send');
  const headers = { authorization: 'Bearer wrong', 'content-type': 'application/json' };
  const request = new Request(`http://localhost${mine}`, {
    method: 'PUT',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);
  expect((await rig.fetch(request)).status).toBe(401);
  expect([pulled, sent.mock.calls.length]).toEqual([0, 0]);
});

test('a tenant that sends its body slowly takes no place: the limit of another tenant is replaced meanwhile', async () => {
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = [];
  const slow = Array.from({ length: shareBounds.heavy.atOnce + 1 }, () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void controllers.push(controller) });
    const headers = { authorization: 'Bearer local', 'content-type': 'application/json' };
    return rig.fetch(
      new Request(`http://localhost${mine}`, { method: 'PUT', headers, body, duplex: 'half' } as RequestInit),
    );
  });
  expect((await put('foreign', theirs, 6)).status).toBe(200);
  for (const controller of controllers) {
    controller.enqueue(new TextEncoder().encode('{}'));
    controller.close();
  }
  for (const answer of await Promise.all(slow)) expect(answer.status).toBeLessThan(400);
});

test('a body beyond its bound is refused with the bound, and read no further', async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1_000_000));
    },
  });
  const headers = { authorization: 'Bearer local', 'content-type': 'application/json' };
  const request = new Request(`http://localhost${mine}`, {
    method: 'PUT',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);
  const answer = await rig.fetch(request);
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ code: 'body.too_large', detail: expect.stringContaining('4000000') });
  expect(pulled).toBeLessThan(8);
});

test('a tenant with as many operations as may run starts no more: nothing is changed, and others do', async () => {
  await rig.request('PUT', 'credentials/gone', { body: {} });
  const counted = vi
    .spyOn(rig.operations, 'countRunning')
    .mockImplementation(async (tenantId: TenantId) => (tenantId === 'local' ? runningOperationsMax : 0));
  await put('local', mine, 5);
  const starting = [
    ['DELETE', 'credentials/gone', undefined],
    ['DELETE', 'session-usage/alice/sessions', undefined],
    ['PUT', 'session-limit/overrides/alice', { limit: 'blocked' }],
    ['PATCH', '', { status: 'suspended' }],
    ['DELETE', '', undefined],
  ] as const;
  for (const [method, path, body] of starting) {
    const answer = await rig.request(method, path, body === undefined ? {} : { body });
    expect([answer.status, answer.headers.get('retry-after')], `${method} ${path}`).toEqual([429, '10']);
    expect(answer.json).toMatchObject({ code: 'operations.too_many' });
  }
  expect(await rig.credentials.getCredential('demo' as never, 'gone' as never)).toBeDefined();
  expect((await rig.request('PUT', 'session-limit/overrides/alice', { body: { limit: 3 } })).status).toBe(204);
  expect((await rig.request('GET', '')).json).toMatchObject({ status: 'active' });
  const foreign = { token: 'foreign' };
  expect((await rig.request('DELETE', '/v1/deployments/theirs/session-usage/x/sessions', foreign)).status).toBe(202);
  counted.mockRestore();
  expect((await rig.request('DELETE', 'credentials/gone')).status).toBe(204);
});

test('a tenant that owns as many deployments as it may makes no more', async () => {
  const tenantId = 'nobody' as TenantId;
  await rig.tenants.createTenant({ tenantId, createdAt: ms(0) });
  const items = Array.from({ length: deploymentsPerTenantMax - 1 }, (_, n) => ({
    pk: tenantPk(tenantId),
    sk: `d${n}`,
  }));
  for (let at = 0; at < items.length; at += 25) {
    const requests = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await rig.client.send(new BatchWriteCommand({ RequestItems: { [rig.tableName]: requests } }));
  }
  const make = () => rig.request('POST', '/v1/deployments', { token: 'nobody', body: { name: 'one more' } });
  expect((await make()).status).toBe(201);
  const refused = await make();
  expect([refused.status, refused.json]).toEqual([
    409,
    expect.objectContaining({ code: 'deployment.too_many', detail: expect.stringContaining('1000') }),
  ]);
});
