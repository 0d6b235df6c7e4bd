// The authorizer event in every shape that IoT Core sends, and answers within its limits.

import { expect, test } from 'vitest';
import { authorize } from '../../functions/authorizer/authorize.ts';
import type { AuthorizerAnswer, AuthorizerEvent } from '../../functions/authorizer/event.ts';
import { parseArnScope } from '../../functions/authorizer/policy.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import type { ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import {
  type AttemptId,
  type ClientId,
  type DeploymentId,
  parseClientId,
  parseDeploymentId,
  parseUsername,
  type Username,
} from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import { joinUserName } from '../../shared/domain/user-name.ts';

const scope = parseArnScope('arn:aws-cn:lambda:cn-north-1:123456789012:function:authorizer');
const tickets = createTickets(Buffer.alloc(32, 1), { now: () => ms(0) });
const attempt = 'AAAAAAAAAAAAAAAAAAAAAA' as AttemptId;

/** Admits whatever parses, and remembers what it was asked. */
function ask(
  event: AuthorizerEvent,
  validUntil?: number,
): { asked: ConnectRequest[]; answer: Promise<AuthorizerAnswer> } {
  const asked: ConnectRequest[] = [];
  const connect = async (request: ConnectRequest): Promise<ConnectDecision> => {
    asked.push(request);
    const deploymentId = parseDeploymentId(request.deploymentId ?? '');
    const username = parseUsername(request.username ?? '');
    if (!deploymentId.ok || !username.ok) return { kind: 'rejected', reason: 'bad_credentials', detail: '' };
    const clientId = parseClientId(deploymentId.value, request.clientId);
    if (!clientId.ok) return { kind: 'rejected', reason: 'client_id', detail: '' };
    const names = { deploymentId: deploymentId.value, username: username.value, clientId: clientId.value };
    return {
      kind: 'admitted',
      ...names,
      attempt,
      expirySeconds: seconds(0),
      reconnect: false,
      ...(validUntil === undefined ? {} : { validUntil: ms(validUntil) }),
    };
  };
  const deploymentOfServerName = (name: string): string | undefined =>
    name.endsWith('.mqtt.example') ? name.split('.')[0] : undefined;
  return {
    asked,
    answer: authorize(
      { connect, tickets: async () => tickets, deploymentOfServerName, clock: { now: () => ms(0) } },
      scope,
      event,
    ),
  };
}

const password = Buffer.from('pa\u0000ss').toString('base64');
const mqtt = { username: 'alice?deployment=demo&x-amz-customauthorizer-name=h', password, clientId: 'demo:c1' };
const whole: AuthorizerEvent = {
  signatureVerified: false,
  protocols: ['tls', 'mqtt'],
  protocolData: { tls: { serverName: 'x-ats.iot.example' }, mqtt },
  connectionMetadata: { id: '6c1b' },
};

test('user name, suffix, password and client id arrive as the device sent them', async () => {
  const { asked, answer } = ask(whole);
  expect((await answer).isAuthenticated).toBe(true);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ deploymentId: 'demo', username: 'alice', clientId: 'c1' });
  expect(Buffer.from(asked[0]?.password ?? []).toString()).toBe('pa\u0000ss');
  expect(asked[0]?.hints).toBeUndefined();
});

test('S8: a client id without the prefix is none of the deployment; what was sent is kept for the record', async () => {
  const { asked, answer } = ask({ ...whole, protocolData: { mqtt: { ...mqtt, clientId: 'c1' } } });
  expect((await answer).isAuthenticated).toBe(false);
  expect(asked).toMatchObject([{ clientId: undefined, sentClientId: 'c1' }]);
});

test('the server name picks the deployment where it names one, and the suffix where it does not', async () => {
  const { asked, answer } = ask({
    protocolData: { tls: { serverName: 'other.mqtt.example' }, mqtt: { ...mqtt, clientId: 'other:c1' } },
  });
  await answer;
  expect(asked[0]).toMatchObject({ deploymentId: 'other', clientId: 'c1' });
});

test.each([
  ['alice?deployment=demo?SDK=JavaV2&Version=1.0', true],
  ['alice?deployment=demo?', true],
  ['alice?SDK=JavaV2&deployment=demo', true],
  ['alice?deployment=demo&deployment=other', false],
  ['alice?deployment=demo&ticket=a&ticket=b', false],
])('straight to IoT Core the suffix of %s is believed: %s', async (username, is) => {
  const { asked, answer } = ask({ ...whole, protocolData: { mqtt: { ...mqtt, username } } });
  expect((await answer).isAuthenticated).toBe(is);
  expect(asked.map(({ deploymentId }) => deploymentId)).toEqual(username.includes('ticket') ? [] : [is ? 'demo' : '']);
});

test('a server name that nobody can look up now is denied, whatever the suffix names', async () => {
  const connect = () => Promise.reject(new Error('asked'));
  const deploymentOfServerName = () => Promise.reject(new Error('the database did not answer in time'));
  const ports = { connect, tickets: async () => tickets, deploymentOfServerName, clock: { now: () => ms(0) } };
  expect(await authorize(ports, scope, whole)).toEqual({ isAuthenticated: false });
});

test.each<[string, AuthorizerEvent]>([
  ['an empty event', {}],
  ['no mqtt block', { protocols: ['tls', 'http'], protocolData: { http: { headers: {}, queryString: '' } } }],
  ['no client id', { protocolData: { mqtt: { username: 'alice?deployment=demo', password } } }],
  ['no user name', { protocolData: { mqtt: { clientId: 'demo:c1', password } } }],
  ['a token only', { token: 'abc', signatureVerified: true }],
  ['no deployment', { protocolData: { mqtt: { ...mqtt, username: 'alice' } } }],
  ['a client id without its deployment', { protocolData: { mqtt: { ...mqtt, clientId: 'c1' } } }],
  ['a client id of another deployment', { protocolData: { mqtt: { ...mqtt, clientId: 'other:c1' } } }],
])('%s is denied, and nothing else is said', async (_what, event) => {
  expect(await ask(event).answer).toEqual({ isAuthenticated: false });
});

test('a missing password is asked about as missing', async () => {
  const { asked } = ask({ protocolData: { mqtt: { username: mqtt.username, clientId: mqtt.clientId } } });
  expect(asked[0]?.password).toBeUndefined();
});

test("the answer keeps IoT Core's limits for the longest names there are", async () => {
  const deploymentId = 'd'.repeat(32);
  const username = '\u{1F600}'.repeat(64);
  const answer = await ask({
    protocolData: {
      mqtt: {
        username: `${username}?deployment=${deploymentId}`,
        password,
        clientId: `${deploymentId}:${'c'.repeat(95)}`,
      },
    },
  }).answer;
  expect(answer.principalId).toMatch(/^[a-zA-Z0-9]{1,128}$/);
  expect(answer.policyDocuments?.length).toBeLessThanOrEqual(10);
  for (const document of answer.policyDocuments ?? []) expect(document.length).toBeLessThanOrEqual(2_048);
  expect(answer.disconnectAfterInSeconds).toBe(86_400);
  expect(answer.refreshAfterInSeconds).toBe(86_400);
});

test("S20: the policy names this client id and this deployment's topics, in this account and region, and no other", async () => {
  const answer = await ask(whole).answer;
  const statements = (
    JSON.parse(answer.policyDocuments?.[0] ?? '') as { Statement: { Effect: string; Resource: string | string[] }[] }
  ).Statement;
  const allowed = statements
    .filter((statement) => statement.Effect === 'Allow')
    .flatMap((statement) => statement.Resource);
  const arn = 'arn:aws-cn:iot:cn-north-1:123456789012';
  expect(allowed.sort()).toEqual([
    `${arn}:client/demo:c1`,
    `${arn}:topic/demo/*`,
    `${arn}:topicfilter/$share/*/demo/*`,
    `${arn}:topicfilter/demo/*`,
  ]);
});

test.each([
  [3_600, 3_600],
  [86_400, 86_400],
  [10_000_000, 86_400],
  [301, 301],
  // IoT Core takes no less.
  [60, 300],
])('what vouches for the username ends in %i s: the connection ends in %i s', async (left, ends) => {
  const lasting = { refreshAfterInSeconds: ends, disconnectAfterInSeconds: ends };
  expect(await ask(whole, left * 1_000 + 999).answer).toMatchObject(lasting);
  const names = { deploymentId: 'demo' as DeploymentId, username: 'alice' as Username, clientId: 'c1' as ClientId };
  const claims = { ...names, attempt, expirySeconds: seconds(0), validUntil: ms(left * 1_000) };
  const username = joinUserName('alice', 'demo', tickets.issue(claims));
  const byTicket = ask({ protocolData: { mqtt: { username, clientId: 'demo:c1' } } });
  expect(await byTicket.answer).toMatchObject(lasting);
});

test('a ticket stands for the admission, for exactly the connection it was made for', async () => {
  const claims = {
    deploymentId: 'demo' as DeploymentId,
    username: 'alice' as Username,
    clientId: 'c1' as ClientId,
    attempt,
    expirySeconds: seconds(0),
  };
  const ticket = tickets.issue(claims);
  const event = (username: string, clientId: string): AuthorizerEvent => ({
    protocolData: { mqtt: { username, clientId } },
  });
  const good = ask(event(joinUserName('alice', 'demo', ticket), 'demo:c1'));
  expect((await good.answer).isAuthenticated).toBe(true);
  expect(good.asked).toHaveLength(0);
  for (const [username, clientId] of [
    [joinUserName('bob', 'demo', ticket), 'demo:c1'],
    [joinUserName('alice', 'other', ticket), 'demo:c1'],
    [joinUserName('alice', 'demo', ticket), 'demo:c2'],
    [joinUserName('alice', 'demo', `${ticket}A`), 'demo:c1'],
    [joinUserName('alice', 'demo', ''), 'demo:c1'],
  ] as const) {
    const bad = ask(event(username, clientId));
    expect(await bad.answer).toEqual({ isAuthenticated: false });
    // Nor is it tried as a password instead.
    expect(bad.asked).toHaveLength(0);
  }
});
