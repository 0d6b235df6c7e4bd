// Deleting a deployment, on the real engine: everything of it goes, nothing of another's, whoever dies over it.

import { describe, expect, test } from 'vitest';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/token-issuer-store.ts';
import { startDeletion } from '../../shared/app/operations.ts';
import type { ClientId, DeploymentId, OperationId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { deploymentOf } from '../support/deployment.ts';
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

const hash = someHash;

/** Settings of every kind. */
async function configure(deploymentId: string): Promise<void> {
  const id = deploymentId as DeploymentId;
  const settings = createSettingsStore(table.client, table.tableName);
  const change = { actor: 'tests', at: ms(rig.core.now()) };
  const whitelist = ['w1', 'w2'] as Username[];
  await settings.putSessionLimit(id, { enabled: true, maxSessionsPerUsername: 5, whitelist }, change);
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

async function remove(): Promise<OperationId> {
  const started = await startDeletion(rig.starts, demo, (id) => rig.ports.items.markDeleting(id));
  if (started === 'missing') throw new Error('there is no such deployment');
  return started;
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
    expect(await rig.operation(id)).toMatchObject({ status: 'done', finished: 71 });
    expect(rig.core.broker.size).toBe(0);
    expect(await rig.itemsOf('demo')).toEqual([]);
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

  test('ends who is admitted by what a process remembers, and removes what is written meanwhile', async () => {
    await rig.connected('alice', 'a');
    await remove();
    await rig.deliver(shift());
    rig.core.advance(4);
    await rig.connected('alice', 'late', 600);
    await rig.drain();
    expect(rig.told).toEqual(['a', 'late']);
    expect(await rig.itemsOf('demo')).toEqual([]);
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
    expect(await rig.itemsOf('demo')).toEqual([]);
  });

  test('that is not there is not deleted', async () => {
    const nowhere = { ...demo, deploymentId: 'nowhere' as DeploymentId };
    expect(await startDeletion(rig.starts, nowhere, (id) => rig.ports.items.markDeleting(id))).toBe('missing');
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
      expect(await rig.itemsOf('demo')).toEqual([]);
      expect(rig.core.broker.size).toBe(0);
    },
  );
});

function shift() {
  const next = rig.queue.shift();
  if (next === undefined) throw new Error('no message waits');
  return next.message;
}
