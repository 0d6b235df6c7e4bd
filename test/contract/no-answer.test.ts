// Every store says the same where the database does not answer, whatever it was asked.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import { collectRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import type { ClientId, DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { Operation } from '../../shared/ports/operations/operations.ts';
import type { IdempotencyKey } from '../../shared/ports/settings/settings.ts';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';

const id = 'one' as DeploymentId;
const tenantId = 'acme' as TenantId;
const username = 'alice' as Username;
const clientId = 'c' as ClientId;
const at = ms(1_800_000_000_000);
const page = { limit: 5 };
const change = { actor: 'somebody', at };
const issuer = {
  issuer: 'https://a',
  audience: 'mqtt',
  audienceClaim: 'aud' as const,
  usernameClaim: 'sub',
  keys: [],
  jwksUrl: undefined,
};
const operation: Operation = {
  operationId: newOperationId(),
  tenantId,
  deploymentId: id,
  cause: { kind: 'deployment_suspended' },
  startedBy: 'somebody',
  status: 'running',
  certain: false,
  startedAt: at,
  finished: 0,
  progressAt: at,
  lookAt: at,
  work: { step: 'begin' },
};
const stored = { value: operation, revision: 'seen' };
const progress = { pass: 1, startedAt: at, pages: 0 };

let engine: TestEngine;
let table: TestTable;
beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
  await engine.stop();
});
afterAll(() => engine.stop());

const operations = () => createOperationStore(table.client, table.tableName, cryptoRandom);
const items = () => createDeploymentItems(table.client, table.tableName);
const issuers = () => createTokenIssuerStore(table.client, table.tableName);
const tenants = () => createTenantStore(table.client, table.tableName);
const walk = () => createTableWalk(table.client, table.tableName, cryptoRandom);
const credentials = () => createCredentialStore(table.client, table.tableName);
const usage = () =>
  createUsageReader(table.client, table.tableName, {
    sessions: createSessionStore(table.client, table.tableName, cryptoRandom),
    settings: createSettingsStore(table.client, table.tableName),
    clock: { now: () => at },
    ranks: collectRankRequests(),
  });

test.each<readonly [string, () => Promise<unknown>]>([
  ['createOperation', () => operations().createOperation(operation)],
  ['readOperation', () => operations().readOperation(operation)],
  ['saveOperation', () => operations().saveOperation(operation, stored)],
  ['dropOperation', () => operations().dropOperation(stored)],
  ['listTenantAudit', () => createSettingsStore(table.client, table.tableName).listTenantAudit(tenantId, page)],
  [
    'getMadeByKey',
    () => createSettingsStore(table.client, table.tableName).getMadeByKey(tenantId, 'k' as IdempotencyKey, at),
  ],
  ['recordKick', () => createSettingsStore(table.client, table.tableName).recordKick(id, clientId, change)],
  ['createOperation, recorded', () => operations().createOperation(operation, change)],
  ['listOperations', () => operations().listOperations(tenantId, page)],
  ['listOverdue', () => operations().listOverdue(at, 5)],
  ['putPlan', () => operations().putPlan(operation, new Set([cryptoRandom.place()]), at)],
  ['readPlan', () => operations().readPlan(operation)],
  ['listCounted', () => items().listCounted(id, page)],
  ['markDeleting', () => items().markDeleting(id, change)],
  ['removeSome', () => items().removeSome(id, undefined)],
  ['removeDeployment', () => items().removeDeployment(id, tenantId)],
  ['getTokenIssuer', () => issuers().getTokenIssuer(id)],
  ['putTokenIssuer', () => issuers().putTokenIssuer(id, issuer, change)],
  ['deleteTokenIssuer', () => issuers().deleteTokenIssuer(id, change)],
  ['listFetched', () => issuers().listFetched(page)],
  ['replaceKeys', () => issuers().replaceKeys(id, { version: 1, keysReadAt: at }, { keys: [], at })],
  ['createTenant', () => tenants().createTenant({ tenantId, createdAt: at })],
  ['getTenant', () => tenants().getTenant(tenantId)],
  ['listTenants', () => tenants().listTenants(page)],
  ['readPage', () => walk().readPage(undefined, 5)],
  ['readProgress', () => walk().readProgress()],
  ['saveProgress', () => walk().saveProgress(progress, undefined)],
  ['getCredential', () => credentials().getCredential(id, username)],
  ['listUsernames', () => usage().listUsernames(id, { ...page, order: 'asc' })],
  ['listByUsed', () => usage().listByUsed(id, { ...page, order: 'asc' })],
  ['getUsername', () => usage().getUsername(id, username)],
  ['listSessions', () => usage().listSessions(id, username, page)],
  ['getClient', () => usage().getClient(id, clientId)],
  ['countOverLimit', () => usage().countOverLimit(id)],
])('%s: the database is unavailable', async (_name, ask) => {
  await expect(ask()).rejects.toBeInstanceOf(StoreUnavailable);
});
