// The functions as they would be deployed, with real events, on the local engine: they do their work, and what they ask
// of AWS meanwhile is what their roles allow. Both ways: nothing is used that is not allowed, and nothing is allowed
// that is not used.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeleteCommand, PutCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { dataFormatKey, sessionKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { joinUserName } from '../../shared/domain/user-name.ts';
import type { TicketClaims } from '../../shared/ports/credentials/tickets.ts';
import { testKeyring, testKeyringText } from '../support/passwords.ts';
import { startEcs } from './deployed/ecs.ts';
import { authorizerEvent, httpEvent, presenceEvent, scheduleEvent, sqsEvent } from './deployed/events.ts';
import { type Deployed, type RunningFunction, run, synthesize } from './deployed/functions.ts';
import { passwordKeysArn, type Recorder, startRecorder, ticketSecret } from './deployed/recorder.ts';
import { createWorld, machineClientId, passwordOf, tenant, type World } from './deployed/world.ts';
import { usesOfRole } from './grants.ts';
import { withFrontDoor } from './synth.ts';

let world: World;
let deployed: Deployed;
const started: (() => Promise<void>)[] = [];

beforeAll(async () => {
  world = await createWorld();
  // With all that an installation may ask for: what nobody asked for is granted to nobody (notices.test.ts).
  deployed = synthesize({ ...withFrontDoor, noticeBus: 'alerts' });
}, 120_000);
afterAll(async () => {
  for (const stop of started) await stop();
  deployed?.remove();
  await world?.stop();
});

async function start(
  id: string,
  keyring = testKeyringText,
): Promise<RunningFunction & { readonly recorder: Recorder }> {
  const recorder = await startRecorder(world.engine);
  recorder.secrets.set(passwordKeysArn, keyring);
  started.push(() => recorder.close());
  const found = deployed.functions.get(id);
  if (found === undefined) throw new Error(`there is no function ${id}`);
  const running = await run(found, recorder.endpoint, {
    TABLE_NAME: world.tableName,
    PASSWORD_KEYS_SECRET_ARN: passwordKeysArn,
    TICKET_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:ticket',
    PRESENCE_QUEUE_URL: `${recorder.endpoint}/111111111111/presence`,
    OPERATIONS_QUEUE_URL: `${recorder.endpoint}/111111111111/operations`,
    MQTT_DOMAIN: withFrontDoor.mqttDomain,
    NOTICE_BUS: 'alerts',
    NODE_OPTIONS: '--enable-source-maps',
  });
  started.push(() => running.stop());
  return { ...running, recorder };
}

/** The table as it is before any process has opened it. */
const unopened = () => world.client.send(new DeleteCommand({ TableName: world.tableName, Key: dataFormatKey }));

/** What Lambda itself does with a role: its log, the queue that it reads. */
const ofLambda = /^(logs:|sqs:(ChangeMessageVisibility|DeleteMessage|GetQueueAttributes|GetQueueUrl|ReceiveMessage)$)/;

function allowed(id: string): readonly string[] {
  const template = Template.fromJSON(deployed.templates.Headcount ?? {});
  return usesOfRole(template, `${id}Role`).filter((line) => !ofLambda.test(line));
}

/** What no test run without a network can come to: keys are fetched from public addresses only. And how it was left. */
const unseen: Readonly<Record<string, readonly string[]>> = {
  TokenKeys: ['dynamodb:DeleteItem J', 'dynamodb:PutItem J', 'dynamodb:UpdateItem D', 'sqs:SendMessage'],
  // How a kick ends depends on what the broker says in between.
  Api: ['dynamodb:DeleteItem N', 'dynamodb:UpdateItem N', 'iot:GetConnection'],
  // Nobody comes near a limit there.
  Reconciler: ['dynamodb:DeleteItem R', 'dynamodb:GetItem W', 'events:PutEvents'],
  // The same, and what a deployment has no more when it is removed here; and why somebody was kicked is not asked here.
  OperationsWorker: [
    'dynamodb:BatchWriteItem N',
    'dynamodb:BatchWriteItem O',
    'dynamodb:BatchWriteItem W',
    'dynamodb:Query P only pk+sk',
    'iot:GetConnection',
  ],
  // A username that nobody ranks any more and that was never rejected; the sweep here finds none.
  Sweeper: ['dynamodb:DeleteItem R', 'dynamodb:GetItem W', 'events:PutEvents'],
};

/** Lanes are for usernames with thousands of sessions; nobody here has so many. */
const ofLanes = / L(\+|$)/;

/** Nothing is used that is not allowed, and nothing allowed that is not used, but for what is named above. */
function expectUseOf(id: string, recorder: Recorder): void {
  const [used, granted] = [recorder.used(), allowed(id)].map((lines) => ({
    items: lines.filter((line) => !line.startsWith('transaction ')),
    transactions: lines.filter((line) => line.startsWith('transaction ')),
  }));
  const seen = new Set([...(used?.items ?? []), ...(unseen[id] ?? [])]);
  // Which readings happen to go together is a matter of moments (gathered-reads.ts).
  const gathered = ['C', 'N', 'S'].filter((kind) => seen.has(`dynamodb:GetItem ${kind}`));
  for (const kind of gathered) seen.add(`dynamodb:BatchGetItem ${kind}`);
  const notSeen = granted?.items.filter((line) => ofLanes.test(line)) ?? [];
  expect([...new Set([...seen, ...notSeen])].sort()).toEqual(granted?.items);
  const whole = new Map((granted?.transactions ?? []).map((line) => [line, new Set<string>()] as const));
  for (const line of used?.transactions ?? []) {
    const allows = [...whole].find(([grant]) => wordsOf(line).every((word) => wordsOf(grant).includes(word)));
    expect(allows, `${id} may not: ${line}`).toBeDefined();
    for (const word of wordsOf(line)) allows?.[1].add(word);
  }
  for (const [grant, words] of whole)
    if (!ofLanes.test(grant)) expect([...words].sort(), `${id} does not need all of: ${grant}`).toEqual(wordsOf(grant));
}

const keyOf = (deployment: string, username: string, clientId: string) =>
  sessionKey(deployment as DeploymentId, username as Username, clientId as ClientId);

/** The parts and the kinds of items of a transaction. */
const wordsOf = (line: string): readonly string[] => line.split(/[ +]/).slice(1).sort();

describe('the authorizer', () => {
  let authorizer: Awaited<ReturnType<typeof start>>;
  const ask = (username: string, clientId: string, deployment = 'demo', password = passwordOf(username)) =>
    authorizer.invoke(
      authorizerEvent({
        username: `${username}?deployment=${deployment}`,
        password,
        clientId: `${deployment}:${clientId}`,
      }),
    ) as Promise<{ isAuthenticated: boolean; policyDocuments?: readonly string[] }>;

  beforeAll(async () => {
    await unopened();
    authorizer = await start('Authorizer');
    // A machine that many share may take longer for the first answer than IoT Core waits; that is not tested here.
    for (let tries = 0; tries < 5 && !(await ask('eve', 'warm')).isAuthenticated; tries++);
  }, 60_000);

  test('admits, and says what the client may do', async () => {
    const answer = await ask('alice', 'phone');
    expect(answer).toMatchObject({
      isAuthenticated: true,
      principalId: expect.stringMatching(/^[a-zA-Z0-9]{1,128}$/),
      disconnectAfterInSeconds: 86_400,
    });
    expect(answer.policyDocuments?.[0]).toContain('arn:aws:iot:eu-central-1:111111111111:client/demo:phone');
    expect(await ask('alice', 'phone')).toMatchObject({ isAuthenticated: true });
  });

  test('refuses a wrong password, and what is not MQTT', async () => {
    expect(await ask('alice', 'tablet', 'demo', 'wrong')).toEqual({ isAuthenticated: false });
    const http = { protocols: ['http'], protocolData: { http: { headers: {}, queryString: '' } } };
    expect(await authorizer.invoke(http)).toEqual({ isAuthenticated: false });
  });

  test('finds the deployment by the server name that is its own', async () => {
    const mqtt = { username: 'gina', password: passwordOf('gina'), clientId: 'demo:by-name' };
    const answer = await authorizer.invoke(authorizerEvent({ ...mqtt, serverName: 'demo.mqtt.example.com' }));
    expect(answer).toMatchObject({ isAuthenticated: true });
  });

  test('of ten at the same moment admits as many as the limit lets', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask('bob', `burst-${n}`)));
    expect(answers.filter((answer) => answer.isAuthenticated)).toHaveLength(2);
  });

  test('a client id that comes from another username finds nothing at the broker any more', async () => {
    await world.admitAgo(
      7_200,
      { deployment: 'open', username: 'alice', clientId: 'handed', expirySeconds: 0 },
      'connected',
    );
    expect(await ask('alice', 'of-her-own', 'open')).toMatchObject({ isAuthenticated: true });
    authorizer.recorder.connections.set('open:handed', { connected: true });
    expect(await ask('bob', 'handed', 'open')).toMatchObject({ isAuthenticated: true });
    expect(authorizer.recorder.connections.has('open:handed')).toBe(false);
  });

  test('reclaims what has expired before it refuses', async () => {
    for (const clientId of ['old-1', 'old-2'])
      await world.admitAgo(7_200, { deployment: 'demo', username: 'carol', clientId, expirySeconds: 60 }, 'retained');
    expect(await ask('carol', 'new')).toMatchObject({ isAuthenticated: true });
  });

  test('reclaims all that there was', async () => {
    await world.admitAgo(
      7_200,
      { deployment: 'demo', username: 'dora', clientId: 'old', expirySeconds: 60 },
      'retained',
    );
    await world.admitAgo(
      3_600,
      { deployment: 'demo', username: 'dora', clientId: 'older', expirySeconds: 60 },
      'retained',
    );
    expect(await ask('dora', 'newer')).toMatchObject({ isAuthenticated: true });
  });

  test('lets a client id go from hand to hand where the deployment says so', async () => {
    await world.admitAgo(
      7_200,
      { deployment: 'open', username: 'alice', clientId: 'shared', expirySeconds: 0 },
      'connected',
    );
    expect(await ask('bob', 'shared', 'open')).toMatchObject({ isAuthenticated: true });
  });

  test("believes the front door's ticket", async () => {
    const claims = {
      deploymentId: 'demo',
      username: 'eve',
      clientId: 'through-the-door',
      attempt: randomBytes(16).toString('base64url'),
      expirySeconds: 0,
    } as unknown as TicketClaims;
    const ticket = createTickets(Buffer.from(ticketSecret), systemClock).issue(claims);
    const username = joinUserName(claims.username, claims.deploymentId, ticket);
    const event = authorizerEvent({ username, clientId: 'demo:through-the-door' });
    expect(await authorizer.invoke(event)).toMatchObject({ isAuthenticated: true });
  });

  test('while the database is down lets in who is known, where the deployment says so, and has them counted later', async () => {
    authorizer.recorder.break(true);
    expect(await ask('alice', 'uncounted', 'open')).toMatchObject({ isAuthenticated: true });
    expect(await ask('alice', 'uncounted', 'demo')).toEqual({ isAuthenticated: false });
    authorizer.recorder.break(false);
    expect(authorizer.recorder.sent).toMatchObject([{ type: 'admitted', clientId: 'uncounted' }]);
  });

  test('uses what its role allows', () => {
    expectUseOf('Authorizer', authorizer.recorder);
  });

  test('logs no password, no ticket and no suffix', () => {
    expect(authorizer.logged.join('\n')).not.toMatch(/secret|\?deployment|ticket/);
  });
});

describe('the presence function', () => {
  test('settles what happened to connections, and uses what its role allows', async () => {
    const presence = await start('PresenceFunction');
    const apply = (bodies: readonly object[], receives?: number) =>
      presence.invoke(sqsEvent(bodies, receives)) as Promise<{ batchItemFailures: readonly object[] }>;
    const seen = { connected: true, connectedSince: Date.now() - 1_000, cleanSession: true, sessionExpiry: 0 };

    const clientIds = ['open:one', 'open:two'];
    await world.admitAgo(5, { deployment: 'open', username: 'carol', clientId: 'one' });
    await world.admitAgo(4, { deployment: 'open', username: 'carol', clientId: 'two' });
    for (const clientId of clientIds) presence.recorder.connections.set(clientId, seen);
    const connected = clientIds.map((clientId) => presenceEvent('connected', clientId, {}));
    expect(await apply(connected)).toEqual({ batchItemFailures: [] });
    presence.recorder.connections.clear();
    const refresh = { type: 'rank.refresh', deploymentId: 'open', username: 'carol' };
    expect(await apply([refresh])).toEqual({ batchItemFailures: [] });
    for (const clientId of clientIds)
      expect(await apply([presenceEvent('disconnected', clientId, {})])).toEqual({ batchItemFailures: [] });
    expect(await apply([refresh])).toEqual({ batchItemFailures: [] });
    // What the database does not answer to is put back, and settled when it comes again.
    presence.recorder.break(true);
    const late = presenceEvent('disconnected', 'open:one', {});
    expect(await apply([late])).toEqual({ batchItemFailures: [] });
    presence.recorder.break(false);
    expect(presence.recorder.sent).toContainEqual(late);
    // A password that was seen under an older key.
    const renewal = await renewalOf('alice');
    expect(await apply([renewal])).toEqual({ batchItemFailures: [] });
    expect(await storedKeyOf('alice')).toBe(renewal.keyId);
    // Nobody's, and somebody's who never came here.
    expect(await apply([presenceEvent('connected', 'somebody-elses', {})])).toEqual({ batchItemFailures: [] });
    expect(await apply([presenceEvent('connect_failed', 'open:stranger', {})])).toEqual({ batchItemFailures: [] });
    // Clients of the front door: one says that its session is over and the broker keeps it, one speaks MQTT 3.
    const kept = { connected: false, disconnectedSince: Date.now(), cleanSession: false, sessionExpiry: 600 };
    const ends = [
      { clientId: 'liar', expirySeconds: 600, changedToSeconds: 0 },
      { clientId: 'four', expirySeconds: 3_600, expiryIsAccounts: true },
      { clientId: 'five', expirySeconds: 3_600, expiryIsAccounts: true },
    ];
    for (const end of ends) {
      const who = { deployment: 'open', username: 'carol', ...end };
      const attempt = await world.admitAgo(5, who, 'connected');
      presence.recorder.connections.set(`open:${end.clientId}`, kept);
      const report = { type: 'door.disconnected', deploymentId: 'open', username: 'carol', attempt, at: Date.now() };
      expect(await apply([{ ...report, ...end }])).toEqual({ batchItemFailures: [] });
    }
    expect(presence.recorder.connections.has('open:liar')).toBe(false);
    // Who asked is told of a username at its limit.
    for (const clientId of ['one', 'two']) await world.admitAgo(5, { deployment: 'demo', username: 'ivan', clientId });
    const near = { type: 'rank.refresh', deploymentId: 'demo', username: 'ivan' };
    expect(await apply([near])).toEqual({ batchItemFailures: [] });
    expect(await apply([near])).toEqual({ batchItemFailures: [] });
    expect(presence.recorder.told).toMatchObject([{ EventBusName: 'alerts', Source: 'headcount' }]);
    expect(JSON.parse(String(presence.recorder.told[0]?.Detail))).toMatchObject({
      deploymentId: 'demo',
      username: 'ivan',
      limit: 2,
      state: 'set',
    });

    expectUseOf('PresenceFunction', presence.recorder);
  });
});

const credentialsOf = () => createCredentialStore(world.client, world.tableName);
const storedKeyOf = async (username: string) =>
  (await credentialsOf().getCredential('open' as DeploymentId, username as Username))?.hash.keyId;

/** A message that stores the password of a username of `open` as it was, under a key of another name. */
async function renewalOf(username: string) {
  const stored = await credentialsOf().getCredential('open' as DeploymentId, username as Username);
  if (stored === undefined) throw new Error(`${username} has no password`);
  const { salt, digest, n, r, p } = stored.hash;
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const bytes = { seen: base64(digest), salt: base64(salt), digest: base64(digest) };
  return { type: 'password.renewed', deploymentId: 'open', username, keyId: 'a-newer-key', ...bytes, n, r, p };
}

describe('the sweeper', () => {
  test('frees what has expired, checks what nobody confirmed, and uses what its role allows', async () => {
    const sweeper = await start('Sweeper');
    await world.admitAgo(7_200, { deployment: 'open', username: 'dora', clientId: 'a', expirySeconds: 60 }, 'retained');
    await world.admitAgo(60, { deployment: 'open', username: 'dora', clientId: 'b' });
    // One username has something left to recount, whichever of its others is freed last; of another nothing is left.
    await world.admitAgo(60, { deployment: 'open', username: 'dora', clientId: 'd', expirySeconds: 0 }, 'connected');
    await world.admitAgo(
      7_200,
      { deployment: 'open', username: 'frank', clientId: 'f', expirySeconds: 60 },
      'retained',
    );
    await world.admitAgo(60, { deployment: 'open', username: 'eve', clientId: 'c' });
    // The broker knows of one of them, so whose it is has to be found out.
    const seen = { connected: true, connectedSince: Date.now() - 59_000, cleanSession: true, sessionExpiry: 0 };
    sweeper.recorder.connections.set('open:c', seen);
    expect(await sweeper.invoke(scheduleEvent())).toBeUndefined();
    const swept = sweeper.logged.map((line) => JSON.parse(line)).find((entry) => entry.message === 'swept');
    expect(swept).toMatchObject({ failed: 0, freed: expect.any(Number) });
    expectUseOf('Sweeper', sweeper.recorder);
  });
});

describe('the reconciler', () => {
  test('walks the table, repairs what it finds, and uses what its role allows', async () => {
    const reconciler = await start('Reconciler');
    const connected = [
      ['frank', 'ghost'],
      ['gina', 'there'],
      ['hank', 'one'],
      ['hank', 'lost'],
    ] as const;
    for (const [username, clientId] of connected)
      await world.admitAgo(7_200, { deployment: 'open', username, clientId, expirySeconds: 0 }, 'connected');
    const seen = { connected: true, connectedSince: Date.now() - 7_200_000, cleanSession: true, sessionExpiry: 0 };
    for (const clientId of ['open:there', 'open:one']) reconciler.recorder.connections.set(clientId, seen);
    await world.client.send(new DeleteCommand({ TableName: world.tableName, Key: keyOf('open', 'hank', 'lost') }));
    expect(await reconciler.invoke(scheduleEvent())).toBeUndefined();
    const told = reconciler.logged.map((line) => JSON.parse(line)).find((entry) => entry.message === 'reconciled');
    expect(told).toMatchObject({ ghosts: expect.any(Number), driftRemoved: 1, failed: 0 });
    expectUseOf('Reconciler', reconciler.recorder);
  });
});

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const tokenIssuer = {
  issuer: 'https://issuer.example',
  audience: 'headcount',
  keys: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] },
};

describe('the fetcher of token keys', () => {
  test('finds what is due, and uses what its role allows', async () => {
    const keys = await start('TokenKeys');
    // Nobody answers there, so nothing is replaced.
    const issuer = { issuer: 'https://issuer.invalid', audience: 'headcount', jwksUrl: 'https://issuer.invalid/keys' };
    await createTokenIssuerStore(world.client, world.tableName).putTokenIssuer(
      'open' as DeploymentId,
      { ...issuer, audienceClaim: 'aud', usernameClaim: 'sub', keys: [] },
      { actor: 'test', at: systemClock.now() },
    );
    expect(await keys.invoke(scheduleEvent())).toBeUndefined();
    expectUseOf('TokenKeys', keys.recorder);
  });
});

describe('the API', () => {
  const scopes = [
    'tenants:admin',
    'settings:read',
    'settings:write',
    'credentials:write',
    'deployments:write',
    'usage:read',
    'sessions:kick',
    'audit:read',
  ];
  const claims = {
    sub: machineClientId,
    client_id: machineClientId,
    token_use: 'access',
    scope: scopes.map((scope) => `headcount/${scope}`).join(' '),
  };
  let api: Awaited<ReturnType<typeof start>>;
  const call = async (method: string, path: string, body?: object, query?: string, headers = {}) => {
    const answer = (await api.invoke(
      httpEvent({
        method,
        path,
        headers,
        claims,
        ...(body === undefined ? {} : { body }),
        ...(query === undefined ? {} : { query }),
      }),
    )) as { readonly statusCode: number; readonly body?: string };
    return answer;
  };

  beforeAll(async () => {
    await unopened();
    api = await start('Api');
  }, 60_000);

  test('leaves out of a reading what has expired and was not swept', async () => {
    await world.admitAgo(10, { deployment: 'demo', username: 'alice', clientId: 'laptop', expirySeconds: 0 });
    const old = { deployment: 'open', username: 'bob', clientId: 'expired', expirySeconds: 60 };
    await world.admitAgo(7_200, old, 'retained');
    const answer = await call('GET', '/v1/deployments/open/session-usage');
    expect(answer.statusCode).toBe(200);
    expect(answer.body).not.toContain('expired');
  });

  test.each([
    ['GET', '/healthz', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/v1/deployments', 200],
    ['GET', '/v1/deployments/demo', 200],
    ['GET', '/v1/deployments/nobodys', 404],
    ['GET', '/v1/deployments/demo/session-limit', 200],
    ['POST', '/v1/tenants', 201, { tenantId: tenant }],
    ['GET', '/v1/tenants', 200],
    ['POST', '/v1/deployments', 201, { name: 'A new one' }],
    ['PATCH', '/v1/deployments/demo', 200, { name: 'Demo', mqttHost: 'acme.mqtt.example.com' }],
    ['PATCH', '/v1/deployments/demo', 200, { mqttHost: 'demo-fleet.mqtt.example.com' }],
    ['GET', '/v1/deployments/demo/rejections', 200],
    ['GET', '/v1/deployments/demo/rejections', 200, undefined, 'interval=hour'],
    ['GET', '/v1/deployments/demo/rejections', 200, undefined, 'username=alice'],
    ['GET', '/v1/deployments/demo/session-usage/alice/rejections', 200],
    ['GET', '/v1/deployments/demo/audit', 200],
    ['GET', '/v1/audit', 200],
    ['PUT', '/v1/deployments/demo/session-limit', 200, { maxSessionsPerUsername: 3, whitelist: ['zoe', 'zack'] }],
    ['PATCH', '/v1/deployments/demo/session-limit', 200, { whitelist: ['zoe'] }],
    ['PUT', '/v1/deployments/demo/session-limit/overrides/alice', 204, { limit: 5 }],
    ['GET', '/v1/deployments/demo/session-limit/overrides/alice', 200],
    ['GET', '/v1/deployments/demo/session-limit/overrides', 200],
    ['DELETE', '/v1/deployments/demo/session-limit/overrides/alice', 204],
    ['PUT', '/v1/deployments/demo/session-limit/overrides/bob', 204, { limit: 'unlimited' }],
    ['PUT', '/v1/deployments/demo/credentials/frank', 204, { password: 'a-password-that-was-chosen' }],
    ['GET', '/v1/deployments/demo/credentials', 200],
    ['DELETE', '/v1/deployments/demo/credentials/frank', 204],
    ['GET', '/v1/deployments/demo/session-usage', 200],
    ['GET', '/v1/deployments/demo/session-usage', 200, undefined, 'sort=used&order=desc'],
    ['GET', '/v1/deployments/demo/token-issuer', 404],
    ['PUT', '/v1/deployments/demo/token-issuer', 201, tokenIssuer],
    ['DELETE', '/v1/deployments/demo/token-issuer', 204],
    ['GET', '/v1/deployments/demo/session-usage/alice', 200],
    ['GET', '/v1/deployments/demo/session-usage/~YWxpY2U', 200],
    ['GET', '/v1/deployments/demo/session-usage/alice/sessions', 200],
    ['GET', '/v1/deployments/demo/clients/laptop', 200],
    ['DELETE', '/v1/deployments/demo/clients/laptop', 204],
    ['DELETE', '/v1/deployments/demo/session-usage/zoe/sessions', 202],
    ['DELETE', '/v1/deployments/demo/session-limit', 204],
    ['GET', '/v1/deployments/demo/session-limit', 404],
  ] as const)('%s %s is answered with %s', async (method, path, status, body?: object, query?: string) => {
    const answer = await call(method, path, body, query);
    expect([answer.statusCode, answer.statusCode === status ? '' : answer.body]).toEqual([status, '']);
  });

  test("a new deployment has a name of its own in the front door's domain, and nobody can take another's", async () => {
    const key = { 'idempotency-key': 'one' };
    const create = async () => call('POST', '/v1/deployments', { name: 'Named' }, undefined, key);
    const made = JSON.parse((await create()).body ?? '{}');
    expect(JSON.parse((await create()).body ?? '{}')).toEqual(made);
    expect(made.mqttHost).toBe(`${made.deploymentId}.${withFrontDoor.mqttDomain}`);
    const taken = await call('PATCH', '/v1/deployments/demo', { mqttHost: made.mqttHost });
    expect(taken.statusCode).toBe(409);
  });

  test('what takes longer is started, put on its queue, and can be looked at', async () => {
    const started = await call('DELETE', '/v1/deployments/demo');
    expect(started.statusCode).toBe(202);
    const { operationId } = JSON.parse(started.body ?? '{}');
    expect((await call('GET', `/v1/operations/${operationId}`)).statusCode).toBe(200);
    expect((await call('GET', '/v1/operations')).body).toContain(operationId);
    const message = api.recorder.sent.at(-1);
    expect(message).toMatchObject({ operationId });

    const worker = await start('OperationsWorker');
    // A deployment is not removed before every process has heard of it, some seconds of the real clock later.
    const isDone = async (): Promise<boolean> => {
      await worker.invoke(sqsEvent([message ?? {}]));
      const { body } = await call('GET', `/v1/operations/${operationId}`);
      return JSON.parse(body ?? '{}').status === 'done';
    };
    const end = Date.now() + 40_000;
    while (!(await isDone()) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 500));
    const ended = await call('GET', `/v1/operations/${operationId}`);
    await worker.invoke({ lookForOverdue: true });
    expect(JSON.parse(ended.body ?? '{}')).toMatchObject({ status: 'done' });
    expectUseOf('OperationsWorker', worker.recorder);
  }, 90_000);

  test('a caller without claims is nobody', async () => {
    const answer = await api.invoke(httpEvent({ method: 'GET', path: '/v1/deployments' }));
    expect(answer).toMatchObject({ statusCode: 401 });
  });

  test('uses what its role allows', () => {
    expectUseOf('Api', api.recorder);
  });
});

describe('the function that CloudFormation asks before a release of the front door', () => {
  const event = (more: object) => ({
    StackId: 'arn:aws:cloudformation:eu-central-1:111111111111:stack/HeadcountFrontDoor/1',
    RequestId: 'one',
    LogicalResourceId: 'RolloutPercent',
    ResourceProperties: { Cluster: 'door', MinTasks: '2', TaskDefinition: 'task:2' },
    ...more,
  });
  const update = { RequestType: 'Update', PhysicalResourceId: 'first', OldResourceProperties: {} };

  test('answers with a tenth of the tasks that there are, and asks what its role allows', async () => {
    const ecs = await startEcs();
    started.push(() => ecs.close());
    const found = deployed.functions.get('RolloutFunction');
    if (found === undefined) throw new Error('there is no such function');
    const rollout = await run(found, ecs.endpoint, { NODE_OPTIONS: '--enable-source-maps' });
    started.push(() => rollout.stop());
    const ResponseURL = ecs.responseUrl;
    await rollout.invoke(event({ RequestType: 'Create', ResponseURL }));
    ecs.desiredCount = 100;
    await rollout.invoke(event({ ...update, ResponseURL }));
    await rollout.invoke(event({ RequestType: 'Delete', PhysicalResourceId: 'first', ResponseURL }));
    expect(ecs.answered).toMatchObject([
      { Status: 'SUCCESS', Data: { MaximumPercent: '150' } },
      { Status: 'SUCCESS', PhysicalResourceId: 'first', Data: { MaximumPercent: '110' } },
      { Status: 'SUCCESS', PhysicalResourceId: 'first' },
    ]);
    const allowed = usesOfRole(Template.fromJSON(deployed.templates.HeadcountFrontDoor ?? {}), 'RolloutFunctionRole');
    const asked = [...new Set(ecs.asked)].sort();
    expect(asked).toEqual(['ecs:DescribeServices door', 'ecs:ListServices door']);
    expect(allowed.filter((action) => action.startsWith('ecs:'))).toEqual(
      asked.map((call) => call.replace(' door', '')),
    );
  });
});

describe('data that cannot be used', () => {
  const otherKeyring = JSON.stringify({ current: 'another-key-that-no-password-here-is-stored-under' });
  const problemOf = (logged: readonly string[]) =>
    logged.map((line) => JSON.parse(line)).find(({ message }) => message === 'the data cannot be used')?.problem;
  const connect = {
    username: 'bob?deployment=open',
    password: passwordOf('bob'),
    clientId: 'open:refused',
  };

  test('without the key of its passwords: CONNECTs are turned away, the API answers 503, and both log why', async () => {
    const [authorizer, api] = [await start('Authorizer', otherKeyring), await start('Api', otherKeyring)];
    expect(await authorizer.invoke(authorizerEvent(connect))).toEqual({ isAuthenticated: false });
    const answer = await api.invoke(httpEvent({ method: 'GET', path: '/healthz' }));
    expect(answer).toMatchObject({ statusCode: 503, body: expect.stringContaining('store.unavailable') });
    for (const { logged } of [authorizer, api]) {
      expect(problemOf(logged)).toContain(`are stored under the key ${testKeyring.current.id}`);
      expect(logged.join()).not.toContain('another-key-that');
    }
  });

  test('of another format: each function refuses, and logs what was found and what is expected', async () => {
    const Item = { ...dataFormatKey, version: 2, keyIds: new Set([testKeyring.current.id]) };
    await world.client.send(new PutCommand({ TableName: world.tableName, Item }));
    const events: Readonly<Record<string, object>> = {
      PresenceFunction: sqsEvent([presenceEvent('connected', 'open:one', {})]),
      Sweeper: scheduleEvent(),
      Reconciler: scheduleEvent(),
      TokenKeys: scheduleEvent(),
      OperationsWorker: { lookForOverdue: true },
    };
    for (const [id, event] of Object.entries(events)) {
      const one = await start(id);
      await expect(one.invoke(event), id).rejects.toThrow(/holds data of format 2, .* uses format 1: run the version/);
      expect(problemOf(one.logged), id).toMatch(/holds data of format 2/);
    }
    const authorizer = await start('Authorizer');
    expect(await authorizer.invoke(authorizerEvent(connect))).toEqual({ isAuthenticated: false });
    expect(problemOf(authorizer.logged)).toMatch(/holds data of format 2/);
    await unopened();
  }, 60_000);
});
