// CONNECTs of usernames that the process has not seen before, each device with one of its own: what they cost, and that no
// password is checked twice. The whole answer to a CONNECT, over a database in memory.

import { expect, test } from 'vitest';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createGatheredReads } from '../../shared/adapters/dynamodb/common/gathered-reads.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createNoticeStore } from '../../shared/adapters/dynamodb/usage/notice-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { createNoticeThreshold } from '../../shared/app/usage/notice-threshold.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { admissionsAtOnce } from '../../shared/config/constants.ts';
import { createCoreConnect } from '../../shared/core/connect.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms } from '../../shared/domain/time.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createGate } from '../support/gate.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { cheapCost, testKeys } from '../support/passwords.ts';

const demo = 'demo' as DeploymentId;
const tableName = 'memory';
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Send = (command: { readonly constructor: { readonly name: string }; readonly input: object }) => Promise<unknown>;

/** `sent`: each request as its command and the first letters of the keys that it names. */
async function start(usernames: readonly string[]) {
  const bare = createMemoryClient();
  const answer = bare.send.bind(bare) as unknown as Send;
  const sent: string[] = [];
  let beforeEach: Promise<void> = Promise.resolve();
  const send: Send = async (command) => {
    const kinds = [...JSON.stringify(command.input).matchAll(/"pk":"([A-Z])\|/g)].map(([, kind]) => kind);
    sent.push(`${command.constructor.name.replace('Command', '')} ${[...new Set(kinds)].sort().join('')}`);
    await beforeEach;
    return answer(command);
  };
  const client = { send } as unknown as DocumentClient;
  let now = 1_790_000_000_000;
  const clock = { now: () => ms(now) };
  const real = createPasswordCrypto();
  const checked: string[] = [];
  const crypto = {
    ...real,
    hmac: (...args: Parameters<typeof real.hmac>) => {
      checked.push(Buffer.from(args[1]).toString());
      return real.hmac(...args);
    },
  };
  const passwords = createPasswords(
    { crypto, keys: testKeys, clock },
    { cost: cheapCost, maxRunning: 2, maxWaiting: 512 },
  );
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  await settings.createDeployment(deploymentOf(demo));
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 100, whitelist: [] };
  await settings.putSessionLimit(demo, limit, { actor: 'test', at: clock.now() });
  for (const username of usernames) {
    const hash = await passwords.hash(`${username}-secret`);
    if (hash === 'overloaded') throw new Error('nothing else is hashed here');
    await credentials.putCredential(demo, { username: username as Username, hash, createdAt: clock.now() });
  }
  const adapters = { client, tableName, clock, random: cryptoRandom, log };
  const connect = createCoreConnect({
    ...adapters,
    passwords,
    budgetMs: 60_000,
    broker: { deleteConnection: async () => 'gone' },
    queue: { put: async () => undefined },
  });
  sent.length = 0;
  checked.length = 0;
  return {
    core: createCore(adapters),
    client,
    clock,
    settings,
    sent,
    checked,
    connect: (username: string, clientId: string) =>
      connect({ deploymentId: demo, username, clientId, password: Buffer.from(`${username}-secret`) }),
    advance(seconds: number): void {
      now += seconds * 1_000;
    },
    /** Requests from now on wait until it is called. */
    holdRequests(): () => void {
      const { opened, open } = createGate();
      beforeEach = opened;
      return () => {
        beforeEach = Promise.resolve();
        open();
      };
    },
  };
}

const devices = Array.from({ length: 32 }, (_, n) => `device-${n}`);

test('each password of 32 usernames that come at once, never seen before, is checked once', async () => {
  const { connect, checked } = await start(devices);
  const decisions = await Promise.all(devices.map((device) => connect(device, `c-${device}`)));
  expect(decisions.every(({ kind }) => kind === 'admitted')).toBe(true);
  expect(checked.sort()).toEqual(devices.map((device) => `${device}-secret`).sort());
});

test('their credentials are read once each, and a username that is new costs no other reading', async () => {
  const { connect, sent } = await start(devices);
  await Promise.all(devices.map((device) => connect(device, `c-${device}`)));
  const reads = sent.filter((one) => one.startsWith('Get') || one.startsWith('BatchGet') || one.startsWith('Query'));
  expect(reads.filter((one) => one.endsWith(' P'))).toHaveLength(devices.length);
  expect([...new Set(reads.map((one) => one.split(' ')[1]))].sort()).toEqual(['CNS', 'D', 'P']);
});

test('a password is not checked again when its CONNECT has waited for its turn longer than a right one is remembered', async () => {
  const { connect, checked, advance, holdRequests } = await start(['alice']);
  // The first is in, and everything that a CONNECT reads before its turn is known.
  await connect('alice', 'first');
  const open = holdRequests();
  const waiting = Array.from({ length: 2 * admissionsAtOnce }, (_, n) => connect('alice', `c-${n}`));
  await new Promise((resolve) => setImmediate(resolve));
  advance(3.5);
  open();
  const decisions = await Promise.all(waiting);
  expect(decisions.every(({ kind }) => kind === 'admitted')).toBe(true);
  expect(checked).toEqual(['alice-secret']);
});

test('ranks of 16 new usernames that are refreshed at once cost a few readings, and one write each', async () => {
  const some = devices.slice(0, 16);
  const { connect, sent, client, clock, core, settings } = await start(some);
  await Promise.all(some.map((device) => connect(device, `c-${device}`)));
  const notice = createNoticeThreshold({
    settings: { get: async (id) => settings.getConnectSettings(id) },
    store: createNoticeStore(client, tableName, cryptoRandom),
    notices: { tell: async () => undefined },
    clock,
    log,
  });
  const { consistent } = createGatheredReads({ client, tableName });
  const ranks = createRankStore(client, tableName, cryptoRandom, consistent);
  sent.length = 0;
  await Promise.all(some.map((device) => refreshRank({ store: core.store, ranks, notice }, demo, device as Username)));
  const besides = sent.filter((one) => !one.endsWith(' D'));
  expect(besides.filter((one) => one === 'Update R')).toHaveLength(16);
  expect(besides.filter((one) => one !== 'Update R').sort()).toEqual(['BatchGet N', 'BatchGet R']);
});
