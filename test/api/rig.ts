// The real Hono app over the real stores on the real engine. Usage is a list in memory: its reader has tests of its own.

import { createApi } from '../../functions/api/app.ts';
import { parseLocalTokens } from '../../functions/api/tokens.ts';
import { type DocumentClient, UpdateCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { deploymentKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { createTenantStore } from '../../shared/adapters/dynamodb/tenancy/tenant-store.ts';
import { newDeploymentId } from '../../shared/adapters/node/deployment-id.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { allScopes } from '../../shared/config/scopes.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId, OperationId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { CredentialStore, PasswordCheck } from '../../shared/ports/credentials/credentials.ts';
import type { KeyFetcher } from '../../shared/ports/credentials/token-issuer.ts';
import type { Operation, OperationMessage, OperationStore } from '../../shared/ports/operations/operations.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import type { RejectionStore } from '../../shared/ports/rejections/rejections.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { TenantStore } from '../../shared/ports/tenancy/tenants.ts';
import type { SessionView, UsageReader, UsernameDetail } from '../../shared/ports/usage/usage.ts';
import { allItems } from '../support/all-items.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createTestTable, startTestEngine } from '../support/engine.ts';
import { cheapCost, testKeys } from '../support/passwords.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where there is none. */
  readonly json: unknown;
}

export interface Rig {
  /** Path from `/v1/deployments/demo` unless it starts with `/`. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answered>;
  readonly client: DocumentClient;
  readonly tableName: string;
  readonly settings: SettingsStore;
  readonly credentials: CredentialStore;
  readonly tenants: TenantStore;
  /** Writes what the API shows. */
  readonly rejections: RejectionStore;
  readonly sessions: SessionStore;
  readonly operations: OperationStore;
  /** What workers of operations were woken with. */
  readonly woken: OperationMessage[];
  /** What the broker does when it is told to end a connection. */
  readonly broker: { kick: () => ReturnType<Broker['deleteConnection']> };
  readonly passwords: PasswordCheck;
  readonly usage: { usernames: UsernameDetail[]; sessions: SessionView[]; overLimit: () => Promise<number> };
  readonly log: string[];
  /** What a token issuer's URL answers. */
  fetchKeys: KeyFetcher['fetchKeys'];
  /** The app itself, for those who bring their own requests. */
  fetch(request: Request, env?: object): Promise<Response>;
  /** All that is stored. */
  dump(): Promise<string>;
  /** Makes `demo` active again, also from `deleting`, which nothing else can. */
  revive(): Promise<void>;
  /** Milliseconds since the epoch, as the app sees them. */
  now: number;
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** False where the answer is something else. */
  readonly json?: boolean;
}

const slug = (scope: string): string => scope.replace(':', '-');

const tokens = [
  'foreign=foreign',
  'read=local:settings:read',
  'write=local:settings:write',
  'usage=local:usage:read',
  'nobody=nobody',
  ...allScopes.map((scope) => `only-${slug(scope)}=local:${scope}`),
  ...allScopes.map((scope) => `without-${slug(scope)}=local:${allScopes.filter((other) => other !== scope).join('+')}`),
  // Each is its own name: those without one get a digest that is slow to make.
].map((entry) => `${entry.slice(0, entry.indexOf('='))}@${entry}`);

/** Attributes and members of sets in order, so that equal items read the same. */
function inOrder(_: string, value: unknown): unknown {
  if (value instanceof Set) return [...value].sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function operationOf(operationId: string, tenantId: TenantId): Operation {
  const at = ms(Date.UTC(2026, 10, 22));
  return {
    operationId: operationId as OperationId,
    tenantId,
    deploymentId: 'demo' as DeploymentId,
    cause: { kind: 'kick', username: 'alice' as Username },
    startedBy: 'somebody',
    status: 'done',
    certain: true,
    startedAt: at,
    endedAt: at,
    total: 0,
    finished: 0,
    progressAt: at,
    lookAt: at,
    work: { step: 'begin' },
  };
}

/** In order of what `key` says, strictly after `after`. */
function pageOf<T>(items: readonly T[], key: (item: T) => string, page: { limit: number; after?: string }) {
  const { after } = page;
  const rest = after === undefined ? items : items.slice(items.findIndex((item) => key(item) === after) + 1);
  return { items: rest.slice(0, page.limit), more: rest.length > page.limit };
}

function createListReader(state: Rig['usage']): UsageReader {
  return {
    async listUsernames(_id, { order, prefix, ...page }) {
      const found = state.usernames.filter((one) => one.username.startsWith(prefix ?? ''));
      return pageOf(order === 'asc' ? found : found.reverse(), (one) => one.username, page);
    },
    async listByUsed(_id, { order, minUsed = 0, limit, after }) {
      const sorted = state.usernames.filter((one) => one.used >= minUsed).sort((a, b) => a.used - b.used);
      const found = order === 'asc' ? sorted : sorted.reverse();
      const { items, more } = pageOf(found, (one) => `${one.used} ${one.username}`, {
        limit,
        ...(after === undefined ? {} : { after: `${after.used} ${after.username}` }),
      });
      return { items, next: more ? items.at(-1) : undefined };
    },
    getUsername: async (_id, username) => state.usernames.find((one) => one.username === username),
    async listSessions(_id, username, page) {
      const found = state.sessions.filter((one) => one.username === username);
      return pageOf(found, (one) => one.clientId, page);
    },
    getClient: async (_id, clientId) => state.sessions.find((one) => one.clientId === clientId),
    countOverLimit: () => state.overLimit(),
  };
}

/** Tenant `local` owns `demo` and holds the token `local`; `foreign` owns `theirs`; `only-x` and `without-x` have and lack a scope. */
export async function startRig(): Promise<Rig> {
  const engine = await startTestEngine();
  const { client, tableName } = await createTestTable(engine.endpoint);
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  const tenants = createTenantStore(client, tableName);
  const rejections = createRejectionStore(client, tableName);
  for (const tenantId of ['local', 'foreign'] as TenantId[]) await tenants.createTenant({ tenantId, createdAt: ms(0) });
  await settings.createDeployment(deploymentOf('demo', 'local'));
  await settings.createDeployment(deploymentOf('theirs', 'foreign'));
  const operations = createOperationStore(client, tableName, cryptoRandom);
  for (const tenantId of ['local', 'foreign'] as TenantId[])
    await operations.createOperation(operationOf(`operation-of-${tenantId}`, tenantId));
  const log: string[] = [];
  const note = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    log.push(JSON.stringify({ message, ...fields }));
  };
  const usage: Rig['usage'] = { usernames: [], sessions: [], overLimit: async () => 0 };
  const rig: Rig = {
    client,
    tableName,
    settings,
    credentials,
    tenants,
    rejections,
    sessions: createSessionStore(client, tableName, cryptoRandom),
    operations,
    woken: [],
    broker: { kick: async () => 'gone' },
    passwords: createPasswords({ crypto: createPasswordCrypto(), keys: testKeys, clock: { now: () => ms(rig.now) } }),
    usage,
    log,
    fetchKeys: async () => ({ kind: 'refused' }),
    now: Date.UTC(2026, 10, 22, 17, 0, 0, 250),
    stop: () => engine.stop(),
    fetch: async (request, env = {}) => app.fetch(request, env),
    async revive() {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: deploymentKey('demo' as DeploymentId),
          UpdateExpression: 'SET #status = :active',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':active': 'active' },
        }),
      );
    },
    async dump() {
      const items = await allItems({ client, tableName });
      const texts = items.map((item) => JSON.stringify(item, inOrder));
      return texts.sort().join('\n');
    },
    async request(method, path, { token = 'local', body, raw, headers = {}, json = true } = {}) {
      const target = path.startsWith('/') ? path : `/v1/deployments/demo${path === '' ? '' : `/${path}`}`;
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await app.request(target, {
        method,
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: text === '' || !json ? undefined : JSON.parse(text),
      };
    },
  };
  const clock = { now: () => ms(rig.now) };
  const app = createApi({
    settings,
    credentials,
    passwords: createPasswords(
      { crypto: createPasswordCrypto(), keys: testKeys, clock },
      { cost: cheapCost, maxRunning: 2, maxWaiting: 64 },
    ),
    usage: createListReader(usage),
    tenants,
    rejections: createRejectionReader(client, tableName),
    newDeploymentId,
    mqttDomain: 'mqtt.localhost',
    issuers: createTokenIssuerStore(client, tableName),
    signersOf,
    fetcher: { fetchKeys: (url) => rig.fetchKeys(url) },
    kicks: createCore({
      client,
      tableName,
      clock,
      random: cryptoRandom,
      broker: { getConnection: async () => ({ kind: 'absent' as const }), deleteConnection: () => rig.broker.kick() },
      pause: async () => undefined,
      kickTries: 2,
    }),
    starts: {
      operations: rig.operations,
      queue: { send: async (message) => void rig.woken.push(message) },
      newOperationId,
      clock,
      log: { info: note, warn: note, error: note },
    },
    items: createDeploymentItems(client, tableName),
    authenticate: parseLocalTokens({ API_TOKENS: tokens.join() }).authenticate,
    clock,
    log: { info: note, warn: note, error: note },
  });
  return rig;
}

/** What names the faults of a 400. */
export function faultsOf(answered: Answered): string[] {
  const body = answered.json;
  if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) return [];
  return body.errors.map((fault: { in: string; name: string }) => `${fault.in} ${fault.name}`);
}

export const tilde = (name: string): string => `~${Buffer.from(name).toString('base64url')}`;
