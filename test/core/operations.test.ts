// What goes on in the background (S15, S21), on the real engine: kicks of many, and who survives them.

import type { SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { applyOperations } from '../../functions/operations/apply.ts';
import { DeleteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { changeAndEnd, startKick } from '../../shared/app/operations/operations.ts';
import { changeHoldsSeconds } from '../../shared/config/constants.ts';
import type { OperationId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { OperationCause } from '../../shared/ports/operations/operations.ts';
import { allItems } from '../support/all-items.ts';
import type { TestTable } from '../support/engine.ts';
import { someHash } from '../support/passwords.ts';
import { quietLog } from '../support/quiet-log.ts';
import { tableForEachTest } from '../support/tables.ts';
import { Mortal } from './mortal.ts';
import { createOperationsRig, demo, type OperationsRig } from './operations-rig.ts';

const alice = 'alice' as Username;
const names = (count: number, prefix = 'c'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(4, '0')}`);

let table: TestTable;
let rig: OperationsRig;
tableForEachTest(async (created) => {
  table = created;
  rig = await createOperationsRig(table);
});

const kickAll = (): Promise<OperationId> =>
  startKick(rig.starts, demo, alice, { actor: 'tests', tenantId: demo.tenantId });

describe('kicking all of a username', () => {
  test('ends all its sessions, retained ones too, page by page, and nobody else; progress can be read', async () => {
    const ids = names(120);
    for (const [n, id] of ids.entries())
      await (n % 3 === 0 ? rig.retained('alice', id) : rig.connected('alice', id, 60));
    await rig.connected('bob', 'bobs');
    const id = await kickAll();
    expect(await rig.operation(id)).toMatchObject({ status: 'running', finished: 0 });
    // A worker that has to leave after every page.
    let asked = 0;
    await rig.drain({ mustStop: () => asked++ % 2 === 1 });
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 120, finished: 120 });
    expect((await rig.operation(id))?.endedAt).toBeGreaterThan(0);
    expect([...rig.told].sort()).toEqual(ids);
    expect(await rig.core.used('alice')).toBe(0);
    expect(await rig.core.used('bob')).toBe(1);
    expect(rig.core.broker.size).toBe(1);
  });

  test('between two pages the operation says exactly how many of the sessions have ended', async () => {
    for (const id of names(120)) await rig.connected('alice', id);
    const id = await kickAll();
    const read: [number, number][] = [];
    for (let message = rig.queue.shift(); message !== undefined; message = rig.queue.shift()) {
      let pages = 0;
      await rig.deliver(message.message, { mustStop: () => pages++ > 0 });
      read.push([(await rig.operation(id))?.finished ?? -1, 120 - (await rig.core.used('alice'))]);
    }
    expect(new Set(read.map(([finished]) => finished)).size).toBeGreaterThan(2);
    for (const [finished, ended] of read) expect(finished).toBe(ended);
  });

  test('a session that reconnects before its turn is kicked all the same; one that reconnects after its kick stays', async () => {
    const ids = names(60);
    for (const id of ids) await rig.connected('alice', id, 60);
    let reconnected = false;
    rig.meanwhile = async () => {
      // While the first page is ended, one of the second reconnects.
      if (reconnected) return;
      reconnected = true;
      await rig.connected('alice', 'c0059', 60);
    };
    await kickAll();
    let pages = 0;
    await rig.deliver(shift(), { mustStop: () => pages++ > 2 });
    rig.meanwhile = undefined;
    // Kicked by now, and back in again while the operation goes on.
    expect(rig.told).toContain('c0000');
    await rig.connected('alice', 'c0000');
    await rig.drain();
    expect([...rig.told].sort()).toEqual(ids);
    expect(await rig.core.session('alice', 'c0000')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('a place that belongs to no session is freed before it counts as finished', async () => {
    for (const id of ['a', 'b']) await rig.retained('alice', id);
    for (const { pk, sk } of await allItems(table))
      if (String(pk).startsWith('S|'))
        await table.client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk, sk } }));
    expect(await rig.core.used('alice')).toBe(2);
    const id = await kickAll();
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 2, finished: 2 });
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('the same of a wide roster', async () => {
    const layout = { wideAt: 6, lanes: 2, reserveMax: 8, near: 4, foldAt: 5, dropAt: 8 };
    rig = await createOperationsRig(table, { layout });
    for (const id of names(24)) await rig.connected('alice', id);
    const lost = (await allItems(table)).filter(
      ({ pk, sk }) => String(pk).startsWith('S|') && String(sk).endsWith('3'),
    );
    for (const { pk, sk } of lost)
      await table.client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk, sk } }));
    const id = await kickAll();
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 24, finished: 24 });
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('one that joins while it goes on, and was not there at the start, is left alone', async () => {
    for (const id of names(60)) await rig.connected('alice', id);
    await kickAll();
    let joined = false;
    rig.meanwhile = async () => {
      if (joined) return;
      joined = true;
      await rig.connected('alice', 'z-new');
    };
    await rig.drain();
    expect(rig.told).not.toContain('z-new');
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('an attempt that was on its way when it began, and arrives behind its kick, is kicked again', async () => {
    const decision = await rig.core.connect('alice', 'a');
    if (decision.kind === 'rejected') throw new Error(decision.reason);
    const id = await kickAll();
    await rig.deliver(shift());
    expect(await rig.operation(id)).toMatchObject({ status: 'running' });
    rig.core.broker.set('a', { kind: 'connected' });
    await rig.core.report('door.connected', 'alice', 'a', decision.attempt);
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 1, finished: 1 });
    expect(rig.core.broker.has('a')).toBe(false);
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('one whose kick could not free it at once, and who has come back since, stays, and is not told as finished', async () => {
    const decision = await rig.core.connect('alice', 'a');
    if (decision.kind === 'rejected') throw new Error(decision.reason);
    rig.core.broker.set('a', { kind: 'connected' });
    const id = await kickAll();
    await rig.deliver(shift());
    rig.core.advance(1);
    await rig.connected('alice', 'a');
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 1, finished: 0 });
    expect(rig.told).toEqual(['a']);
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('tombstones are reached at the broker, each once, and count in the total; none of another username', async () => {
    for (const id of ['over-1', 'over-2', 'over-3']) {
      const attempt = await rig.connected('alice', id);
      await rig.core.report('door.disconnected', 'alice', id, attempt);
    }
    const bobs = await rig.connected('bob', 'over-bob');
    await rig.core.report('door.disconnected', 'bob', 'over-bob', bobs);
    await rig.connected('alice', 'live');
    // An attempt on its way is no end: a second pass looks at it, and at no tombstone.
    await rig.core.connect('alice', 'pending');
    const id = await kickAll();
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 5, finished: 5 });
    expect(rig.told.filter((clientId) => clientId !== 'pending').sort()).toEqual([
      'live',
      'over-1',
      'over-2',
      'over-3',
    ]);
  });

  test('a username with tombstones only: they are reached, and counted', async () => {
    const attempt = await rig.connected('alice', 'over');
    await rig.core.report('door.disconnected', 'alice', 'over', attempt);
    const id = await kickAll();
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 1, finished: 1 });
    expect(rig.told).toEqual(['over']);
  });

  test('a tombstone for which the broker does not answer is tried again, and none counts twice', async () => {
    for (const id of ['over-1', 'over-2']) {
      const attempt = await rig.connected('alice', id);
      await rig.core.report('door.disconnected', 'alice', id, attempt);
    }
    await rig.connected('alice', 'live');
    const id = await kickAll();
    rig.deaf = true;
    await rig.deliver(shift());
    expect(await rig.operation(id)).toMatchObject({ status: 'running', total: 3, finished: 0 });
    rig.deaf = false;
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 3, finished: 3 });
    expect(new Set(rig.told)).toEqual(new Set(['live', 'over-1', 'over-2']));
  });

  test('nothing to kick: done at once', async () => {
    const id = await kickAll();
    expect(await rig.drain()).toBe(1);
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 0, finished: 0 });
  });

  test('a broker that does not answer: it is tried again and again, and given up after an hour', async () => {
    await rig.connected('alice', 'a');
    const id = await kickAll();
    rig.deaf = true;
    await rig.deliver(shift());
    expect(await rig.operation(id)).toMatchObject({ status: 'running', finished: 0 });
    expect(rig.queue).toMatchObject([{ delaySeconds: 5 }]);
    rig.core.advance(3_601);
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'failed', total: 1, finished: 0 });
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('every message twice, and two workers at once: nothing is done twice', async () => {
    const ids = names(60);
    for (const id of ids) await rig.connected('alice', id);
    const id = await kickAll();
    const message = shift();
    await Promise.all([rig.deliver(message), rig.deliver(message), rig.deliver(message)]);
    for (let next = rig.queue.shift(); next !== undefined; next = rig.queue.shift()) {
      await rig.deliver(next.message);
      await rig.deliver(next.message);
    }
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 60, finished: 60 });
    expect([...rig.told].sort()).toEqual(ids);
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('the message is lost: somebody looks, and it is done', async () => {
    await rig.connected('alice', 'a');
    const id = await kickAll();
    rig.queue.length = 0;
    expect(await rig.wakeOverdue()).toBe(1);
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', finished: 1 });
    expect(await rig.wakeOverdue()).toBe(0);
  });
});

describe('the worker dies', () => {
  // A kick of three takes so many calls at least; each death is one test.
  const deaths = Array.from({ length: 20 }, (_, n) => n + 1).flatMap((at) =>
    (['before', 'after'] as const).map((when) => ({ at, when })),
  );

  test('a kick of three takes more calls than are tried here', async () => {
    for (const id of ['a', 'b', 'c']) await rig.connected('alice', id, 60);
    await kickAll();
    const whole = new Mortal(1_000, 'before');
    await rig.deliver(shift(), { mortal: whole });
    expect(whole.calls).toBeGreaterThanOrEqual(20);
  });

  test.each(deaths)(
    '$when its call $at: another goes on and ends them all, each place freed once',
    async ({ at, when }) => {
      for (const id of ['a', 'b', 'c']) await rig.connected('alice', id, 60);
      await rig.connected('bob', 'bobs');
      const id = await kickAll();
      expect(await rig.deliver(shift(), { mortal: new Mortal(at, when) })).toBe('died');
      expect(await rig.core.used('alice')).toBeGreaterThanOrEqual([...rig.core.broker.keys()].length - 1);
      await rig.wakeOverdue();
      await rig.drain();
      expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 3, finished: 3 });
      expect([...rig.core.broker.keys()]).toEqual(['bobs']);
      await rig.core.sweep();
      expect([await rig.core.used('alice'), await rig.core.used('bob')]).toEqual([0, 1]);
    },
  );

  test.each(Array.from({ length: 12 }, (_, n) => n + 1))(
    'after its call %i, and one of the plan ends meanwhile: it counts once',
    async (at) => {
      const attempt = await rig.connected('alice', 'a');
      await rig.connected('alice', 'b');
      const id = await kickAll();
      expect(await rig.deliver(shift(), { mortal: new Mortal(at, 'after') })).toBe('died');
      await rig.core.report('door.disconnected', 'alice', 'a', attempt);
      await rig.wakeOverdue();
      await rig.drain();
      expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 2, finished: 2 });
    },
  );
});

describe('a change that somebody is disconnected for (S21)', () => {
  const cause: OperationCause = { kind: 'credential_removed', username: alice };
  const credentials = () => createCredentialStore(table.client, table.tableName);
  const remove = () => credentials().deleteCredential(demo.deploymentId, alice);
  const removeAndEnd = () => changeAndEnd(rig.starts, demo, cause, remove, (made) => made === 'deleted');
  beforeEach(async () => {
    const hash = someHash;
    await credentials().putCredential(demo.deploymentId, { username: alice, hash, createdAt: rig.core.now() });
  });

  test('ends who is connected, and who is still admitted by what a process remembers', async () => {
    await rig.connected('alice', 'a', 600);
    await rig.connected('bob', 'b');
    expect(await removeAndEnd()).toMatchObject({ outcome: 'deleted' });
    await rig.deliver(shift());
    expect(await rig.core.used('alice')).toBe(0);
    rig.core.advance(4);
    await rig.connected('alice', 'late');
    await rig.drain();
    expect([await rig.core.used('alice'), await rig.core.used('bob')]).toEqual([0, 1]);
    expect(rig.told).toEqual(['a', 'late']);
  });

  test('leaves alone who is admitted when the change holds everywhere: then somebody has changed it back', async () => {
    await removeAndEnd();
    await rig.deliver(shift());
    rig.core.advance(changeHoldsSeconds + 1);
    await rig.connected('alice', 'new');
    await rig.drain();
    expect(rig.told).toEqual([]);
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('holds also where the credential is made anew at once: the change has been made', async () => {
    await rig.connected('alice', 'a');
    await removeAndEnd();
    const hash = someHash;
    await credentials().putCredential(demo.deploymentId, { username: alice, hash, createdAt: rig.core.now() });
    await rig.drain();
    expect(rig.told).toEqual(['a']);
  });

  test('no change, no operation', async () => {
    await remove();
    expect(await removeAndEnd()).toEqual({ outcome: 'missing', operationId: undefined });
    expect(rig.queue).toEqual([]);
    expect(await rig.wakeOverdue()).toBe(0);
  });

  test('the process dies after the change, before it woke anybody: somebody looks, and they are ended', async () => {
    await rig.connected('alice', 'a');
    await expect(
      changeAndEnd(
        rig.starts,
        demo,
        cause,
        async () => remove().then(() => Promise.reject(new Error('died'))),
        () => true,
      ),
    ).rejects.toThrow('died');
    expect(rig.queue).toEqual([]);
    await rig.wakeOverdue();
    await rig.drain();
    expect(rig.told).toEqual(['a']);
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('the process dies before the change: nobody is ended', async () => {
    await rig.connected('alice', 'a');
    const died = changeAndEnd(
      rig.starts,
      demo,
      cause,
      () => Promise.reject(new Error('died')),
      () => true,
    );
    await expect(died).rejects.toThrow('died');
    await rig.wakeOverdue();
    await rig.drain();
    expect(rig.told).toEqual([]);
    expect(await rig.core.used('alice')).toBe(1);
  });

  test('the operation cannot be recorded: the change is not made', async () => {
    let made = false;
    const operations = {
      ...rig.starts.operations,
      createOperation: () => Promise.reject(new StoreUnavailable(new Error('down'))),
    };
    const change = async () => {
      made = true;
    };
    await expect(changeAndEnd({ ...rig.starts, operations }, demo, cause, change, () => true)).rejects.toThrow(
      StoreUnavailable,
    );
    expect(made).toBe(false);
  });

  test('nobody can be woken: the change stands and says so, and they are ended a little later', async () => {
    await rig.connected('alice', 'a');
    const queue = { send: () => Promise.reject(new Error('the queue is down')) };
    expect(await changeAndEnd({ ...rig.starts, queue }, demo, cause, remove, () => true)).toMatchObject({
      outcome: 'deleted',
    });
    await rig.wakeOverdue();
    await rig.drain();
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('suspending ends connected and retained sessions alike; resuming brings none back', async () => {
    const settings = createSettingsStore(table.client, table.tableName);
    const change = (status: 'active' | 'suspended') =>
      settings.changeDeployment(demo.deploymentId, { status }, { actor: 'tests', at: ms(rig.core.now()) });
    await rig.connected('alice', 'a', 600);
    await rig.retained('bob', 'kept');
    const suspended = { kind: 'deployment_suspended' } as const;
    const { operationId } = await changeAndEnd(
      rig.starts,
      demo,
      suspended,
      () => change('suspended'),
      () => true,
    );
    if (operationId === undefined) throw new Error('suspending starts an operation');
    await rig.drain();
    expect([...rig.told].sort()).toEqual(['a', 'kept']);
    expect(await rig.operation(operationId)).toMatchObject({ status: 'done', total: 2, finished: 2 });
    await change('active');
    await rig.drain();
    expect([await rig.core.used('alice'), await rig.core.used('bob')]).toEqual([0, 0]);
  });

  test('suspended and resumed at once: who is connected may stay', async () => {
    await rig.connected('alice', 'a');
    await changeAndEnd(
      rig.starts,
      demo,
      { kind: 'deployment_suspended' },
      async () => undefined,
      () => true,
    );
    await rig.drain();
    expect(rig.told).toEqual([]);
  });

  test('blocked while the limit is not enabled: nothing is enforced, nobody is ended', async () => {
    await rig.connected('alice', 'a');
    await changeAndEnd(
      rig.starts,
      demo,
      { kind: 'username_blocked', username: alice },
      async () => undefined,
      () => true,
    );
    await rig.drain();
    expect(rig.told).toEqual([]);
  });
});

test('a message that names no operation is told and left alone', async () => {
  const told: unknown[] = [];
  const log = { ...quietLog, error: (_message: string, fields: object = {}) => void told.push(fields) };
  for (const message of [{}, { tenantId: 'local' }, { operationId: 'op-1' }, { tenantId: 1, operationId: 'op-1' }]) {
    const record = { messageId: 'm', body: JSON.stringify(message), attributes: {} } as unknown as SQSRecord;
    const answer = await applyOperations({ ...rig.ports, log }, { Records: [record] }, () => false);
    expect(answer.batchItemFailures).toEqual([]);
  }
  expect(told).toEqual(Array.from({ length: 4 }, () => ({ problem: expect.stringMatching(/^an? \w+ id is /) })));
});

function shift() {
  const next = rig.queue.shift();
  if (next === undefined) throw new Error('no message waits');
  return next.message;
}
