// Deleting a deployment, on the real engine: everything of it goes, nothing of another's, whoever dies over it.

import { describe, expect, test } from 'vitest';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { startDeletion } from '../../shared/app/operations/operations.ts';
import type { ClientId, DeploymentId, OperationId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import { by, deploymentOf } from '../support/deployment.ts';
import type { TestTable } from '../support/engine.ts';
import { someHash } from '../support/passwords.ts';
import { tableForEachTest } from '../support/tables.ts';
import { Mortal } from './mortal.ts';
import { createOperationsRig, demo, type OperationsRig } from './operations-rig.ts';

let table: TestTable;
let rig: OperationsRig;
tableForEachTest(async (created) => {
  table = created;
  rig = await createOperationsRig(table);
});

/** Audit records outlive what they tell of. */
const leftOf = async (id: string) => (await rig.itemsOf(id)).filter((key) => !key.startsWith(`A|${id} `));

const hash = someHash;

/** Settings of every kind. */
async function configure(deploymentId: string): Promise<void> {
  const id = deploymentId as DeploymentId;
  const settings = createSettingsStore(table.client, table.tableName);
  const change = { actor: 'tests', at: ms(rig.core.now()) };
  const whitelist = ['w1', 'w2'] as Username[];
  await settings.putSessionLimit(id, { ...defaultsOf(limitSettings), maxSessionsPerUsername: 5, whitelist }, change);
  await settings.putOverride(id, 'o1' as Username, { kind: 'blocked' }, change);
  const credential = { username: 'alice' as Username, hash, createdAt: rig.core.now() };
  await createCredentialStore(table.client, table.tableName).putCredential(id, credential);
  const issuer = {
    issuer: 'i',
    audience: 'a',
    audienceClaim: 'aud' as const,
    usernameClaim: 'sub',
    keys: [],
    jwksUrl: 'https://issuer.example/',
  };
  await createTokenIssuerStore(table.client, table.tableName).putTokenIssuer(id, issuer, change);
}

const mark = (id: DeploymentId, expectedVersion?: number) =>
  rig.ports.items.markDeleting(id, by(rig.core.now(), expectedVersion));

async function remove(): Promise<OperationId> {
  const started = await startDeletion(rig.starts, demo, () => mark(demo.deploymentId));
  if (started.kind !== 'done') throw new Error('there is no such deployment');
  return started.operationId;
}

describe('a deployment that is deleted', () => {
  test('ends everybody and leaves nothing but the operation, and nothing of a deployment whose id begins like its', async () => {
    const settings = createSettingsStore(table.client, table.tableName);
    for (const other of ['demo-2', 'dem', 'local']) {
      await settings.createDeployment(deploymentOf(other, 'local'));
      await configure(other);
    }
    const others = await Promise.all(['demo-2', 'dem', 'local'].map((other) => rig.itemsOf(other)));
    await configure('demo');
    for (let n = 0; n < 70; n += 1) await rig.connected(`user${n % 7}`, `c${n}`, 600);
    await rig.retained('alice', 'kept');
    // A tombstone, and an owner that nothing leads to.
    const gone = await rig.connected('carol', 'gone');
    await rig.core.report('door.disconnected', 'carol', 'gone', gone);
    rig.core.broker.delete('gone');
    const owner = { username: 'dave' as Username, keptUntil: ms(rig.core.now() + 1_000_000) };
    await rig.core.store.putOwner(demo.deploymentId, 'long-gone' as ClientId, owner, undefined);

    const id = await remove();
    expect(await settings.getDeployment(demo.deploymentId)).toMatchObject({ status: 'deleting' });
    expect(await rig.operation(id)).toMatchObject({ status: 'running' });
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 71, finished: 71 });
    expect(rig.core.broker.size).toBe(0);
    expect(await leftOf('demo')).toEqual([]);
    const issuers = createTokenIssuerStore(table.client, table.tableName);
    expect(await issuers.listFetched({ limit: 10 })).toEqual(['dem', 'demo-2', 'local']);
    const late = {
      issuer: 'i',
      audience: 'a',
      audienceClaim: 'aud' as const,
      usernameClaim: 'sub',
      keys: [],
      jwksUrl: undefined,
    };
    const change = { actor: 'tests', at: ms(rig.core.now()) };
    expect(await issuers.putTokenIssuer(demo.deploymentId, late, change)).toMatchObject({ kind: 'missing' });
    expect(await settings.getDeployment(demo.deploymentId)).toBeUndefined();
    const listed = await settings.listDeployments(demo.tenantId, { limit: 10 });
    expect(listed.map(({ deploymentId }) => deploymentId)).toEqual(['dem', 'demo-2', 'local']);
    expect(await Promise.all(['demo-2', 'dem', 'local'].map((other) => rig.itemsOf(other)))).toEqual([
      others[0],
      others[1],
      // Of the tenant of that name, the deployment is in no list any more.
      others[2]?.filter((key) => key !== 'T|local demo'),
    ]);
  });

  test('says how many sessions there are to end before it has ended them', async () => {
    for (const [n, username] of ['alice', 'alice', 'bob'].entries()) await rig.connected(username, `c${n}`);
    rig.deaf = true;
    const id = await remove();
    await rig.deliver(shift());
    expect(await rig.operation(id)).toMatchObject({ status: 'running', total: 3, finished: 0 });
    rig.deaf = false;
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 3, finished: 3 });
  });

  test('ends who is admitted by what a process remembers, and removes what is written meanwhile', async () => {
    await rig.connected('alice', 'a');
    await remove();
    await rig.deliver(shift());
    rig.core.advance(4);
    await rig.connected('alice', 'late', 600);
    await rig.drain();
    expect(rig.told).toEqual(['a', 'late']);
    expect(await leftOf('demo')).toEqual([]);
  });

  test('asked for twice is one operation; one that failed begins anew', async () => {
    await rig.connected('alice', 'a');
    const id = await remove();
    expect(await remove()).toBe(id);
    rig.deaf = true;
    await rig.deliver(shift());
    rig.core.advance(3_601);
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'failed' });
    rig.deaf = false;
    expect(await remove()).toBe(id);
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'done' });
    expect(await leftOf('demo')).toEqual([]);
  });

  test('that has changed since it was read is not deleted, and leaves no operation', async () => {
    const asked = startDeletion(rig.starts, demo, () => mark(demo.deploymentId, 2));
    expect(await asked).toEqual({ kind: 'stale', version: 1 });
    await rig.drain();
    expect(await rig.operation('delete-demo' as OperationId)).toBeUndefined();
    expect(await rig.ports.settings.getDeployment(demo.deploymentId)).toMatchObject({ status: 'active' });
  });

  test('is gone in the end, also where a stale deletion took its record for its own', async () => {
    // The stale one records first, and takes back last.
    const stale = startDeletion(rig.starts, demo, async () => {
      await remove();
      return mark(demo.deploymentId, 1);
    });
    expect(await stale).toMatchObject({ kind: 'stale' });
    await rig.drain();
    expect(await leftOf('demo')).toEqual([]);
  });

  test('is gone in the end, also where an earlier deletion died before it said so, and ended without effect', async () => {
    const dead = startDeletion(rig.starts, demo, () => Promise.reject(new Error('died')));
    await expect(dead).rejects.toThrow('died');
    await rig.wakeOverdue();
    await rig.drain();
    expect(await rig.operation('delete-demo' as OperationId)).toMatchObject({ status: 'done' });
    await remove();
    await rig.drain();
    expect(await leftOf('demo')).toEqual([]);
  });

  test('that is not there is not deleted', async () => {
    const nowhere = { ...demo, deploymentId: 'nowhere' as DeploymentId };
    const asked = startDeletion(rig.starts, nowhere, () => mark(nowhere.deploymentId));
    expect(await asked).toEqual({ kind: 'missing', what: 'deployment' });
    await rig.drain();
    expect(await rig.operation('delete-nowhere' as OperationId)).toBeUndefined();
  });

  test.each(Array.from({ length: 30 }, (_, n) => n + 1))(
    'its worker dies at its call %i, again and again: it ends all the same',
    async (at) => {
      await configure('demo');
      await rig.connected('alice', 'a', 600);
      await rig.retained('bob', 'b');
      const id = await remove();
      for (let deaths = 0; deaths < 3; deaths += 1) {
        const next = rig.queue.shift();
        if (next === undefined) await rig.wakeOverdue();
        const message = next ?? rig.queue.shift();
        if (message === undefined) break;
        rig.core.advance(message.delaySeconds);
        await rig.deliver(message.message, { mortal: new Mortal(at, deaths % 2 === 0 ? 'after' : 'before') });
      }
      await rig.drain();
      await rig.wakeOverdue();
      await rig.drain();
      expect(await rig.operation(id)).toMatchObject({ status: 'done' });
      expect(await leftOf('demo')).toEqual([]);
      expect(rig.core.broker.size).toBe(0);
    },
  );
});

function shift() {
  const next = rig.queue.shift();
  if (next === undefined) throw new Error('no message waits');
  return next.message;
}
