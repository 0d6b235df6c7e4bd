// Who asks for ranks: presence when a session is confirmed or ends, the sweeper when it frees. Never the connect path.

import type { SQSEvent } from 'aws-lambda';
import { beforeEach, expect, test } from 'vitest';
import { Meter } from '../../bench/meter/meter.ts';
import { applyPresence, type PresencePorts } from '../../functions/presence/apply.ts';
import { demoDeployment } from '../../local/seed.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { admit } from '../../shared/app/admission/admit.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import { askingForRanks, createRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import { rankDelaySeconds } from '../../shared/config/constants.ts';
import { type CorePorts, createCore } from '../../shared/core/core.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import { noRenewals } from '../support/passwords.ts';
import { quietLog } from '../support/quiet-log.ts';

const demo = 'demo' as DeploymentId;
const alice = 'alice' as Username;

let now = 1_790_000_000_000;
let sent: { readonly body: object; readonly at: number }[];
let ports: PresencePorts & CorePorts;
let bare: PresencePorts['store'];
let meter: Meter;
let nextMessage = 0;

beforeEach(() => {
  meter = new Meter();
  const { client } = meter;
  const tableName = 'asking';
  const clock = { now: (): Ms => ms(now) };
  sent = [];
  const requests = createRankRequests({
    messages: {
      send: async (body, delaySeconds) => void sent.push({ body, at: now + delaySeconds * 1_000 }),
    },
    clock,
    log: quietLog,
    delaySeconds: seconds(rankDelaySeconds),
  });
  ports = createCore({
    client,
    tableName,
    aroundStore(store) {
      bare = store;
      return askingForRanks(store, requests);
    },
    credentials: noRenewals,
    ranks: createRankStore(client, tableName, cryptoRandom),
    clock,
    random: cryptoRandom,
    broker: {
      getConnection: async () => ({ kind: 'absent' as const }),
      deleteConnection: async () => 'gone' as const,
    },
    log: quietLog,
  });
});

async function connect(clientId: string): Promise<AttemptId> {
  const deployment = demoDeployment(ms(0));
  const request = {
    deploymentId: demo,
    username: alice,
    clientId: clientId as ClientId,
    receivedAt: ms(now),
    witness: 'door' as const,
    expirySeconds: seconds(0),
  };
  const settings = { deployment, limit: undefined };
  const getNewer = async () => settings;
  const decision = await admit({ ...ports, store: bare, settings: { getNewer }, budgetMs: 8_000 }, settings, request);
  if (decision.kind === 'rejected') throw new Error(decision.reason);
  return decision.attempt;
}

/** Through the handler, as the queue delivers it. */
async function deliver(body: object): Promise<void> {
  const attributes = { SentTimestamp: String(now), ApproximateReceiveCount: '1' };
  const record = { messageId: String(nextMessage++), body: JSON.stringify(body), attributes };
  const answer = await applyPresence(ports, { Records: [record] } as unknown as SQSEvent);
  expect(answer.batchItemFailures).toEqual([]);
}

const report = (type: string, clientId: string, attempt: AttemptId, expirySeconds = 0) =>
  deliver({ type, deploymentId: demo, username: alice, clientId, attempt, at: now, expirySeconds });

/** Everything that is due by now. */
async function deliverDue(): Promise<void> {
  const due = sent.filter((one) => one.at <= now);
  sent = sent.filter((one) => one.at > now);
  for (const { body } of due) await deliver(body);
}

const rankOf = async () => (await ports.ranks.readRank(demo, alice)).used;

test('an admission asks for nothing; its confirmation does, and 60 s later the rank is right', async () => {
  const attempt = await connect('a');
  expect(sent).toEqual([]);
  await report('door.connected', 'a', attempt);
  expect(sent.map((one) => one.body)).toEqual([{ type: 'rank.refresh', deploymentId: demo, username: alice }]);
  expect(await rankOf()).toBe(0);
  now += 60_000;
  await deliverDue();
  expect(await rankOf()).toBe(1);
});

test('a life that is over within the delay writes no rank at all', async () => {
  const attempt = await connect('a');
  await report('door.connected', 'a', attempt);
  now += 5_000;
  await report('door.disconnected', 'a', attempt);
  expect(sent).toHaveLength(1);
  now += 60_000;
  const [, spent] = await meter.spend(() => deliverDue());
  expect(spent).toMatchObject({ write: 0, read: 2 });
});

test('the first and the last of many changes are in the rank, each at most 60 s later, for one message a minute', async () => {
  let messages = 0;
  const attempts: AttemptId[] = [];
  for (let n = 0; n < 12; n++) {
    attempts.push(await connect(`c-${n}`));
    await report('door.connected', `c-${n}`, attempts[n] as AttemptId);
    now += 10_000;
    messages += sent.filter((one) => one.at <= now).length;
    await deliverDue();
    if (n === 6) expect(await rankOf()).toBeGreaterThan(0);
  }
  await report('door.disconnected', 'c-0', attempts[0] as AttemptId);
  now += 60_000;
  messages += sent.length;
  await deliverDue();
  expect(await rankOf()).toBe(11);
  expect(messages).toBeLessThanOrEqual(4);
});

test('a reconnect of a session that is counted asks for nothing', async () => {
  await report('door.connected', 'a', await connect('a'));
  now += 60_000;
  await deliverDue();
  await report('door.connected', 'a', await connect('a'));
  expect(sent).toEqual([]);
});

test('the sweeper asks for what it frees: attempts that came to nothing, and many expired at once', async () => {
  const attempt = await connect('a');
  await report('door.connected', 'a', attempt);
  await connect('b');
  now += 60_000;
  await deliverDue();
  expect(await rankOf()).toBe(2);
  // The broker knows nothing of the one that was never confirmed.
  await sweep(ports);
  now += 60_000;
  await deliverDue();
  expect(await rankOf()).toBe(1);

  for (const clientId of ['c', 'd', 'e']) {
    const passing = await connect(clientId);
    await report('door.connected', clientId, passing);
    await report('door.disconnected', clientId, passing, 600);
  }
  now += 300_000;
  await deliverDue();
  expect(await rankOf()).toBe(4);
  now += 300_000;
  await sweep(ports);
  now += 60_000;
  await deliverDue();
  expect(await rankOf()).toBe(1);
});

test.each([
  { deploymentId: 'De mo', username: 'a' },
  { deploymentId: 'demo', username: 'a?b' },
  { username: 'a' },
  { deploymentId: 'demo' },
])('a request that is malformed is not applied: %j', async (fields) => {
  const body = JSON.stringify({ type: 'rank.refresh', ...fields });
  const record = { messageId: 'm', body, attributes: {} };
  const answer = await applyPresence(ports, { Records: [record] } as unknown as SQSEvent);
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'm' }]);
});
