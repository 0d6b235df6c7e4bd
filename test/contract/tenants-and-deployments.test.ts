// Tenants, and deployments as they are made and changed: the stores on the real engine.

import { beforeEach, describe, expect, test } from 'vitest';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import type { DeploymentId, TenantId } from '../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings } from '../../shared/domain/settings.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { Deployment, SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { TenantStore } from '../../shared/ports/tenancy/tenants.ts';
import { by, deploymentOf } from '../support/deployment.ts';
import { tableForAllTests } from '../support/tables.ts';

let store: SettingsStore;
let tenants: TenantStore;
let nextId = 0;
let one: Deployment;

tableForAllTests(({ client, tableName }) => {
  store = createSettingsStore(client, tableName);
  tenants = createTenantStore(client, tableName);
});

beforeEach(async () => {
  nextId += 1;
  one = { ...deploymentOf(`d${nextId}`), name: 'One' };
  expect(await store.createDeployment(one)).toBe('created');
});

const shown = { name: 'One', status: 'active', ...defaultsOf(deploymentSettings) };

describe('tenants', () => {
  test('are created once, and listed in order, in pages', async () => {
    const id = (raw: string) => raw as TenantId;
    for (const raw of ['tb', 'ta', 'tc'])
      expect(await tenants.createTenant({ tenantId: id(raw), createdAt: ms(5) })).toBe('created');
    expect(await tenants.createTenant({ tenantId: id('ta'), createdAt: ms(6) })).toBe('exists');
    expect(await tenants.getTenant(id('ta'))).toEqual({ tenantId: 'ta', createdAt: 5 });
    expect(await tenants.getTenant(id('td'))).toBeUndefined();
    const first = await tenants.listTenants({ limit: 2 });
    expect(first.map((tenant) => tenant.tenantId)).toEqual(['ta', 'tb']);
    expect(await tenants.listTenants({ limit: 2, after: id('tb') })).toEqual([{ tenantId: 'tc', createdAt: 5 }]);
  });
});

describe('a deployment', () => {
  test('is changed in part, its version grows, and the rest of its item stays', async () => {
    const { deploymentId } = one;
    const changes = { name: 'Two', onStoreFailure: 'admit', sessionExpirySeconds: seconds(0) } as const;
    const outcome = await store.changeDeployment(deploymentId, changes, by(2));
    const after = { ...one, ...changes, version: 2 };
    expect(outcome).toEqual({ kind: 'done', before: { ...one, version: 1 }, after });
    expect(await store.getDeployment(deploymentId)).toEqual(after);
  });

  test('that stays as it was is not written, nor recorded', async () => {
    await store.changeDeployment(one.deploymentId, { name: 'One', status: 'active' }, by(2));
    await store.changeDeployment(one.deploymentId, {}, by(2));
    expect((await store.getDeployment(one.deploymentId))?.version).toBe(1);
    expect(await store.listAudit(one.deploymentId, { limit: 10 })).toEqual({ items: [], next: undefined });
  });

  test('is not changed by who saw an older version; of many at once, one wins, and one record is left', async () => {
    const { deploymentId } = one;
    const changes = Array.from({ length: 6 }, (_, n) =>
      store.changeDeployment(deploymentId, { name: `n${n}` }, by(3, 1)),
    );
    const kinds = (await Promise.all(changes)).map((outcome) => outcome.kind).sort();
    expect(kinds).toEqual(['done', 'stale', 'stale', 'stale', 'stale', 'stale']);
    expect(await store.changeDeployment(deploymentId, { name: 'late' }, by(4, 1))).toEqual({
      kind: 'stale',
      version: 2,
    });
    expect((await store.listAudit(deploymentId, { limit: 10 })).items).toHaveLength(1);
  });

  test('that does not exist is missing', async () => {
    const missing = { kind: 'missing', what: 'deployment' };
    expect(await store.changeDeployment('nobody' as DeploymentId, { name: 'x' }, by(1))).toEqual(missing);
  });

  test('leaves a record of who, when, what before and what after; newest first, in pages', async () => {
    const { deploymentId } = one;
    const other = { ...deploymentOf(`${deploymentId}-b`), name: 'One' };
    await store.createDeployment(other, by(1));
    await store.changeDeployment(other.deploymentId, { status: 'suspended' }, by(2));
    await store.changeDeployment(other.deploymentId, { status: 'active', name: 'Two' }, by(3));
    await store.changeDeployment(other.deploymentId, { mqttHost: undefined }, by(4));
    const host = { mqttHost: `${deploymentId}-b.mqtt.localhost`, onStoreFailure: 'reject' };
    const first = await store.listAudit(other.deploymentId, { limit: 3 });
    const rest = await store.listAudit(other.deploymentId, { limit: 3, after: first.next ?? '' });
    const records = [...first.items, ...rest.items].map(({ key: _key, deploymentId: _id, ...record }) => record);
    const actor = 'somebody';
    expect(records).toEqual([
      {
        at: 4,
        actor,
        action: 'deployment.changed',
        before: { ...shown, ...host, name: 'Two' },
        after: { ...shown, ...host, name: 'Two', mqttHost: null },
      },
      {
        at: 3,
        actor,
        action: 'deployment.resumed',
        before: { ...shown, ...host, status: 'suspended' },
        after: { ...shown, ...host, name: 'Two' },
      },
      {
        at: 2,
        actor,
        action: 'deployment.suspended',
        before: { ...shown, ...host },
        after: { ...shown, ...host, status: 'suspended' },
      },
      { at: 1, actor, action: 'deployment.created', before: null, after: { ...shown, ...host } },
    ]);
    expect([first.items.length, rest.next]).toEqual([3, undefined]);
  });
});

describe('a server name', () => {
  test('leads to its deployment from the moment that it shows it, and no longer', async () => {
    const { deploymentId } = one;
    const host = `own${nextId}.mqtt.localhost`;
    expect(await store.getDeploymentOfHost(`${deploymentId}.mqtt.localhost`)).toBe(deploymentId);
    await store.changeDeployment(deploymentId, { mqttHost: host }, by(2));
    expect(await store.getDeploymentOfHost(host)).toBe(deploymentId);
    expect(await store.getDeploymentOfHost(`${deploymentId}.mqtt.localhost`)).toBeUndefined();
    await store.changeDeployment(deploymentId, { mqttHost: undefined }, by(3));
    expect(await store.getDeploymentOfHost(host)).toBeUndefined();
    expect((await store.getDeployment(deploymentId))?.mqttHost).toBeUndefined();
  });

  test('belongs to one deployment, whoever comes at the same moment', async () => {
    const others = Array.from({ length: 4 }, (_, n) => deploymentOf(`${one.deploymentId}-h${n}`));
    for (const other of others) await store.createDeployment(other);
    const host = `shared${nextId}.mqtt.localhost`;
    const outcomes = await Promise.all(
      others.map((other) => store.changeDeployment(other.deploymentId, { mqttHost: host }, by(2))),
    );
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['done', 'host_taken', 'host_taken', 'host_taken']);
    const owner = await store.getDeploymentOfHost(host);
    const showing = await Promise.all(others.map((other) => store.getDeployment(other.deploymentId)));
    expect(showing.filter((deployment) => deployment?.mqttHost === host).map((each) => each?.deploymentId)).toEqual([
      owner,
    ]);
    expect(await store.createDeployment({ ...deploymentOf('thief'), mqttHost: host })).toBe('host_taken');
    expect(await store.getDeployment('thief' as DeploymentId)).toBeUndefined();
  });

  test('is never the id of another deployment, named so or not, whoever comes at the same moment', async () => {
    const { deploymentId } = one;
    const rival = deploymentOf(`${deploymentId}-rival`);
    await store.createDeployment(rival);
    await store.changeDeployment(deploymentId, { mqttHost: undefined }, by(2));
    const steal = { mqttHost: `${deploymentId}.mqtt.localhost` };
    expect((await store.changeDeployment(rival.deploymentId, steal, by(2))).kind).toBe('host_taken');
    expect((await store.changeDeployment(deploymentId, steal, by(3))).kind).toBe('done');

    const late = deploymentOf(`${deploymentId}-late`);
    const [created, changed] = await Promise.all([
      store.createDeployment(late),
      store.changeDeployment(rival.deploymentId, { mqttHost: late.mqttHost }, by(2)),
    ]);
    expect(['created done', 'host_taken host_taken']).not.toContain(`${created} ${changed.kind}`);
    const owner = created === 'created' ? late : rival;
    expect(await store.getDeploymentOfHost(late.mqttHost ?? '')).toBe(owner.deploymentId);
  });
});
