import { expect, test } from 'vitest';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import type { AttemptId, ClientId, DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Operation, OperationPlace, OperationStore } from '../../shared/ports/operations/operations.ts';
import type { Stored } from '../../shared/ports/presence/sessions.ts';
import { tableForEachTest } from '../support/tables.ts';

const start = 1_800_000_000_000;

let store: OperationStore;
tableForEachTest((table) => {
  // What is overdue is one list of the whole installation.
  store = createOperationStore(table.client, table.tableName, cryptoRandom);
});

function operationOf(more: Partial<Operation> = {}): Operation {
  return {
    operationId: newOperationId(),
    tenantId: 'acme' as TenantId,
    deploymentId: 'demo' as DeploymentId,
    cause: { kind: 'deployment_suspended' },
    startedBy: 'somebody',
    status: 'running',
    certain: false,
    startedAt: ms(start),
    finished: 0,
    progressAt: ms(start),
    lookAt: ms(start + 60_000),
    work: { step: 'begin' },
    ...more,
  };
}

async function create(operation: Operation): Promise<Stored<Operation>> {
  const outcome = await store.createOperation(operation);
  if (outcome.kind !== 'done') throw new Error('there was one of this id');
  return { value: operation, revision: outcome.revision };
}

test('one is read back as it was put, with everything that can be known of it', async () => {
  const username = 'alice|with|bars ü' as Username;
  const full = operationOf({
    cause: { kind: 'kick', username },
    certain: true,
    total: 7,
    finished: 3,
    claimedUntil: ms(start + 30_000),
    work: {
      step: 'kick',
      until: ms(start),
      passBegan: ms(start + 1),
      passedBy: { username, whole: false, clientId: 'c|1' as ClientId },
      left: 2,
      kicked: { 'c|0': 'attempt' as AttemptId },
      tombstones: { toReach: 'again', reached: 3, left: 1 },
    },
  });
  const put = await create(full);
  expect(await store.readOperation(full)).toEqual(put);
});

test('an id is taken once, and whoever comes second is shown who was first', async () => {
  const first = await create(operationOf());
  const again = await store.createOperation({ ...first.value, finished: 9 });
  expect(again).toEqual({ kind: 'changed', current: first });
  expect(await store.readOperation(first.value)).toEqual(first);
});

test('an unknown one and another tenant’s are not there', async () => {
  const { value } = await create(operationOf());
  expect(await store.readOperation({ ...value, operationId: newOperationId() })).toBeUndefined();
  expect(await store.readOperation({ ...value, tenantId: 'other' as TenantId })).toBeUndefined();
});

test('it is saved over what was read only, also where the same stands there again', async () => {
  const first = await create(operationOf());
  const saved = await store.saveOperation({ ...first.value, finished: 1 }, first);
  if (saved.kind !== 'done') throw new Error('nobody else wrote');
  const back = await store.saveOperation(first.value, { value: first.value, revision: saved.revision });
  if (back.kind !== 'done') throw new Error('nobody else wrote');
  expect(await store.saveOperation({ ...first.value, finished: 5 }, first)).toEqual({
    kind: 'changed',
    current: { value: first.value, revision: back.revision },
  });
});

test('of many that save over the same one wins', async () => {
  const first = await create(operationOf());
  const outcomes = await Promise.all(
    [1, 2, 3, 4, 5].map((finished) => store.saveOperation({ ...first.value, finished }, first)),
  );
  expect(outcomes.filter((outcome) => outcome.kind === 'done')).toHaveLength(1);
});

test('it is taken back only as it was read, and is not saved again after', async () => {
  const first = await create(operationOf());
  const saved = await store.saveOperation({ ...first.value, finished: 1 }, first);
  if (saved.kind !== 'done') throw new Error('nobody else wrote');
  await store.dropOperation(first);
  expect((await store.readOperation(first.value))?.value.finished).toBe(1);
  const second = { value: first.value, revision: saved.revision };
  await store.dropOperation(second);
  await store.dropOperation(second);
  expect(await store.readOperation(first.value)).toBeUndefined();
  expect(await store.saveOperation(first.value, second)).toEqual({ kind: 'changed', current: undefined });
});

test('running ones are overdue from their time on, earliest first, whoever they belong to', async () => {
  const refOf = ({ tenantId, operationId }: Operation) => ({ tenantId, operationId });
  const late = operationOf({ lookAt: ms(start + 3_000) });
  const early = operationOf({ lookAt: ms(start + 1_000), tenantId: 'other' as TenantId });
  const middle = operationOf({ lookAt: ms(start + 2_000) });
  const stored = new Map<Operation, Stored<Operation>>();
  for (const operation of [late, early, middle]) stored.set(operation, await create(operation));
  await create(operationOf({ lookAt: ms(start), status: 'done' }));
  await create(operationOf({ lookAt: ms(start), status: 'failed' }));

  expect(await store.listOverdue(ms(start + 999), 10)).toEqual([]);
  expect(await store.listOverdue(ms(start + 2_000), 10)).toEqual([refOf(early), refOf(middle)]);
  expect(await store.listOverdue(ms(start + 3_000), 1)).toEqual([refOf(early)]);

  const seen = stored.get(early);
  if (seen === undefined) throw new Error('it was created');
  await store.saveOperation({ ...early, status: 'done', endedAt: ms(start + 1) }, seen);
  expect(await store.listOverdue(ms(start + 3_000), 10)).toEqual([refOf(middle), refOf(late)]);
});

test('a plan is read back whole, is replaced by the next, and is one operation’s only', async () => {
  const { value } = await create(operationOf());
  expect(await store.readPlan(value)).toEqual(new Set());
  const places = new Set(Array.from({ length: 300 }, () => cryptoRandom.place()));
  await store.putPlan(value, places, ms(start));
  await store.putPlan(value, places, ms(start));
  expect(await store.readPlan(value)).toEqual(places);
  expect(await store.readPlan({ ...value, tenantId: 'other' as TenantId })).toEqual(new Set());
  const fewer = new Set([cryptoRandom.place()]);
  await store.putPlan(value, fewer, ms(start));
  expect(await store.readPlan(value)).toEqual(fewer);
  expect((await store.readOperation(value))?.value).toEqual(value);
});

test('those of a tenant that run are counted, and no others', async () => {
  const acme = await create(operationOf());
  await create(operationOf());
  await create(operationOf({ status: 'done' }));
  await create(operationOf({ tenantId: 'acme-2' as TenantId }));
  expect(await store.countRunning('acme' as TenantId, 9)).toBe(2);
  expect(await store.countRunning('acme' as TenantId, 1)).toBe(1);
  expect(await store.countRunning('acme-2' as TenantId, 9)).toBe(1);
  await store.saveOperation({ ...acme.value, status: 'done' }, acme);
  expect(await store.countRunning('acme' as TenantId, 9)).toBe(1);
});

test("a tenant's are listed newest first, in pages that skip and repeat none, and no other tenant's", async () => {
  // Several of one moment, and one that is taken back.
  const made = Array.from({ length: 7 }, (_, n) => operationOf({ startedAt: ms(start + (n >> 1)) }));
  for (const operation of made) await create(operation);
  await create(operationOf({ tenantId: 'acme-2' as TenantId, startedAt: ms(start + 9) }));
  await store.dropOperation(await create(operationOf({ startedAt: ms(start + 9) })));
  const seen: Operation[] = [];
  let after: OperationPlace | undefined;
  do {
    const page = await store.listOperations('acme' as TenantId, {
      limit: 2,
      ...(after === undefined ? {} : { after }),
    });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  expect(seen.map(({ startedAt }) => startedAt - start)).toEqual([3, 2, 2, 1, 1, 0, 0]);
  expect(new Set(seen.map(({ operationId }) => operationId))).toEqual(new Set(made.map((one) => one.operationId)));
});
