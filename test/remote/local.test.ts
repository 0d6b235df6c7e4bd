// The checks of a deployed stack, and the questions that are asked of it, against the local product: through the front
// door, and straight to the broker. What they would say of AWS is only worth something if they say the right thing here.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/product.ts';
import { startAccount } from './account-stand-in.ts';
import { viewAws } from './aws-view.ts';
import { checks } from './checks.ts';
import { collectEvents, webSocketUrl } from './presence-watch.ts';
import { questions } from './questions.ts';
import { type Target, Trial } from './target.ts';

/** They take minutes of the real clock, which nothing here can hurry: five until a token ends, and as long as is asked. */
const slow = ['token-end'];

const changedExpiry = {
  'granted 120 s, DISCONNECT says 60 s: counted': 60,
  'granted 120 s, DISCONNECT says 240 s: counted': 240,
};

const colon = { admitted: 'yes', counted: 'yes', 'GetConnection tells its expiry': 'yes', kicked: 'yes' };
const share = {
  'shared subscription under the deployment': 'granted',
  'a member of its group hears': 'yes',
  "under another's name": 'refused',
};
const principal = { 'of connected': 'the same', 'of disconnected': 'the same' };
/** Of an account that stands in for AWS's. */
const account = {
  'endpoint-arn': {
    'ARN that AWS tells': 'domainconfiguration/Endpoint-1/id1',
    'Headcount-Asks': '…/<name>: implicitDeny, …/<name>/<id>: allowed',
  },
  release: {
    'tasks wanted': 20,
    'kept by the release': 'no, 30 before',
    'tasks that a release may start at a time': '2 of 20',
  },
};

/** What is known of the local run, as far as it does not depend on the machine. */
const known: Readonly<Record<Target['entry'], Readonly<Record<string, object>>>> = {
  door: {
    connack: {
      'MQTT 5, wrong password': '0x86',
      'MQTT 5, over the quota': '0x97',
      'MQTT 3.1.1, wrong password': '0x4',
      'MQTT 3.1.1, over the quota': '0x3',
    },
    // Whom the front door refuses, the broker never hears of.
    'connect-failed': { 'connect_failed after a refusal': 'does not come' },
    'changed-expiry': changedExpiry,
    colon,
    share,
    principal,
    ...account,
  },
  straight: {
    connack: {
      'MQTT 5, wrong password': '0x87',
      'MQTT 5, over the quota': '0x87',
      'MQTT 3.1.1, wrong password': '0x5',
      'MQTT 3.1.1, over the quota': '0x5',
    },
    'connect-failed': { 'connect_failed after a refusal': 'comes' },
    'changed-expiry': changedExpiry,
    colon,
    share,
    principal,
    ...account,
    takeover: { 'reason of the one taken over': 'API_INITIATED_DISCONNECT' },
  },
};

describe.each(['door', 'straight'] as const)('%s', (entry) => {
  let rig: Rig;
  let trial: Trial;
  let target: Target;
  let patienceMs = 60_000;
  let standIn: Awaited<ReturnType<typeof startAccount>>;

  beforeAll(async () => {
    const { note, of } = collectEvents();
    rig = await startRig({ onPresence: note });
    standIn = await startAccount();
    const { product } = rig;
    target = {
      apiUrl: `http://127.0.0.1:${product.httpPort}`,
      token: 'local',
      entry,
      mqttUrl: () => `mqtt://127.0.0.1:${entry === 'door' ? product.mqttPort : product.brokerPort}`,
      get patienceMs() {
        return patienceMs;
      },
      settled: async () => rig.advance(5),
      watch: { of, close: async () => undefined },
      aws: viewAws('eu-central-1', { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }, () => standIn.endpoint),
      tasksBefore: 30,
      idleMs: 1_000,
      awaitsTokenEnd: false,
    };
    trial = await Trial.begin(target);
  }, 60_000);
  afterAll(async () => {
    standIn?.close();
    await rig?.stop();
  });

  test.each(checks)('$statement: $guarantee', ({ run }) => run(trial), 90_000);

  test.each(questions.filter(({ id }) => !slow.includes(id)))(
    '$id: $question',
    async ({ id, canAsk, ask }) => {
      expect(canAsk?.(trial) ?? true).toBe(true);
      // What is known not to come is not waited for.
      patienceMs = id === 'connect-failed' && entry === 'door' ? 3_000 : 60_000;
      const answers = await ask(trial);
      expect(Object.keys(answers).length).toBeGreaterThan(0);
      expect(answers).toMatchObject(known[entry][id] ?? {});
    },
    90_000,
  );

  test('what is slow is asked nowhere here, and is on the list', () => {
    expect(questions.filter(({ canAsk }) => canAsk?.(trial) === false).map(({ id }) => id)).toEqual(slow);
  });

  // Who came which way makes no difference to what is deleted.
  if (entry === 'door') return;

  test('a trial leaves nothing, and removes what an earlier one left; one that goes on stays', async () => {
    const listed = async (): Promise<readonly unknown[]> => {
      const { body } = await rig.api('GET', '/deployments?limit=100');
      return (body.items as readonly { readonly deploymentId: string }[]).map(({ deploymentId }) => deploymentId);
    };
    rig.advance(-7_200);
    const abandoned = await Trial.begin(target);
    rig.advance(7_200);
    const next = await Trial.begin(target);
    await next.join(await next.user('left'), 'left');
    await next.end();
    await trial.eventually(async () => !(await listed()).includes(abandoned.deploymentId), 'it is gone');
    expect([...(await listed())].sort()).toEqual(['demo', trial.deploymentId].sort());
  }, 120_000);
});

test('the address of the watch is signed as AWS says, with the session token behind the signature', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-key', sessionToken: 'for/a while' };
  const at = new Date('2026-11-22T12:00:00Z');
  const url = new URL(webSocketUrl('x-ats.iot.eu-central-1.amazonaws.com', 'eu-central-1', credentials, at));
  expect([...url.searchParams.keys()]).toEqual([
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'X-Amz-Security-Token',
  ]);
  expect(url.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  const { sessionToken: _, ...lasting } = credentials;
  const without = new URL(webSocketUrl(url.host, 'eu-central-1', lasting, at));
  expect(without.searchParams.get('X-Amz-Signature')).toBe(url.searchParams.get('X-Amz-Signature'));
});
