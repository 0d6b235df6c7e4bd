// S10: a client can lengthen what is counted, never shorten it. What a DISCONNECT says is no proof; the broker's word is.

import { beforeEach, describe, expect, test } from 'vitest';
import { createAccountExpiryStore } from '../../shared/adapters/dynamodb/presence/account-expiry-store.ts';
import { createAccountExpiry } from '../../shared/app/presence/account-expiry.ts';
import { applyDoorReport, type ReportPorts } from '../../shared/app/presence/report.ts';
import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
let ports: ReportPorts;
/** What the broker was asked to end. */
let ended: string[];
/** What it answers to that. */
let deletes: 'done' | 'unknown';
let asked: number;
/** Happens at the broker before a session is ended there. */
let meanwhile: (() => Promise<unknown>) | undefined;

// In memory: hundreds of sessions come and go here. Each request stays one that DynamoDB takes.
beforeEach(() => {
  const client = createMemoryClient();
  const tableName = 'memory';
  core = createCore(client, tableName);
  core.max = undefined;
  ended = [];
  deletes = 'done';
  meanwhile = undefined;
  asked = 0;
  ports = {
    ...core.ports,
    broker: {
      getConnection: (id) => {
        asked += 1;
        return core.ports.broker.getConnection(id);
      },
      deleteConnection: async (id) => {
        ended.push(id);
        await meanwhile?.();
        if (deletes === 'done') core.broker.delete(id.slice('demo:'.length));
        return deletes;
      },
    },
    accountExpiry: createAccountExpiry(createAccountExpiryStore(client, tableName), { now: core.now }),
  };
});

type End = Partial<Extract<DoorReport, { type: 'door.disconnected' }>>;

/** The front door tells the end of `attempt`. */
const end = (clientId: string, attempt: AttemptId, told: End): Promise<unknown> =>
  applyDoorReport(ports, {
    type: 'door.disconnected',
    deploymentId: 'demo' as DeploymentId,
    username: 'alice' as Username,
    clientId: clientId as ClientId,
    attempt,
    at: core.now(),
    expirySeconds: seconds(600),
    ...told,
  });

const retained = (expiry: number): BrokerSays => ({
  kind: 'retained',
  disconnectedAt: core.now(),
  expirySeconds: seconds(expiry),
});

const countedFor = async (clientId: string): Promise<number> =>
  ((await core.session('alice', clientId))?.countsUntil ?? 0) - core.now();

describe('a DISCONNECT that lowers the expiry is a reason to ask', () => {
  test('the broker shows less: that counts', async () => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', retained(30));
    await end('a', attempt, { changedToSeconds: seconds(30) });
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
    expect(await countedFor('a')).toBe(30_000);
  });

  test('the broker shows what it had granted, because it never read the DISCONNECT: that counts', async () => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', retained(600));
    await end('a', attempt, { changedToSeconds: seconds(30) });
    expect(await countedFor('a')).toBe(600_000);
    expect(ended).toEqual([]);
  });

  test('to 0, and the broker has nothing: freed at once, and nothing is ended there', async () => {
    const attempt = await core.join('alice', 'a', 600);
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(await core.used('alice')).toBe(0);
    expect(ended).toEqual([]);
  });

  test('to 0, and the broker keeps it: ended there, which is the proof, and freed', async () => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', retained(600));
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(ended).toEqual(['demo:a']);
    expect(core.broker.has('a')).toBe(false);
    expect(await core.used('alice')).toBe(0);
  });

  test.each([
    ['was ended all the same: freed', true, 0],
    ['was not: what the broker shows counts', false, 1],
  ])('to 0, and nobody learns whether it was ended there; the lease asks. It %s', async (_what, isGone, used) => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', retained(600));
    deletes = 'unknown';
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(await core.used('alice')).toBe(1);
    if (isGone) core.broker.delete('a');
    core.advance(31);
    await core.sweep();
    expect(ended).toEqual(['demo:a']);
    expect(await core.used('alice')).toBe(used);
    if (!isGone) expect(await countedFor('a')).toBe((600 - 31) * 1000);
  });

  test.each([
    ['does not answer', { kind: 'unknown' } as const],
    ['has not noticed the end yet', { kind: 'connected' } as const],
  ])('the broker %s: it counts on, and is asked about again', async (_what, says) => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', says);
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(await core.used('alice')).toBe(1);
    core.advance(31);
    await core.sweep();
    expect(await core.used('alice')).toBe(1);
    core.broker.set('a', retained(600));
    core.advance(31);
    await core.sweep();
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' }, expirySeconds: 600 });
  });

  test('its own reconnect meanwhile is not confused by it, and nothing is ended', async () => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', { kind: 'unknown' });
    await end('a', attempt, { changedToSeconds: seconds(0) });
    await core.join('alice', 'a', 600);
    core.broker.set('a', { kind: 'connected', since: core.now() });
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' }, ambiguity: 'none' });
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
    expect(ended).toEqual([]);
  });

  test('it comes back while its session is ended there: the new connection goes with it, and counts until its own end', async () => {
    const attempt = await core.join('alice', 'a', 600);
    core.broker.set('a', retained(600));
    const came: AttemptId[] = [];
    meanwhile = async () => came.push(await core.join('alice', 'a', 600));
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(core.broker.has('a')).toBe(false);
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
    const [next] = came;
    if (next === undefined) throw new Error('it was let in');
    await core.report('door.disconnected', 'alice', 'a', next, 600);
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
    expect(await core.used('alice')).toBe(1);
  });

  test('told while a newer attempt is pending, and that attempt fails: asked then', async () => {
    const attempt = await core.join('alice', 'a', 600);
    const next = await core.connect('alice', 'a', { expiry: 600 });
    if (next.kind !== 'admitted') throw new Error('rejected');
    await end('a', attempt, { changedToSeconds: seconds(0) });
    core.broker.set('a', retained(600));
    await core.report('door.failed', 'alice', 'a', next.attempt);
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
    expect(await countedFor('a')).toBe(600_000);
  });

  test('told before `connected`: asked all the same', async () => {
    const decision = await core.connect('alice', 'a', { expiry: 600 });
    if (decision.kind !== 'admitted') throw new Error('rejected');
    core.broker.set('a', retained(600));
    await end('a', decision.attempt, { changedToSeconds: seconds(30) });
    expect(await countedFor('a')).toBe(600_000);
    await core.report('door.connected', 'alice', 'a', decision.attempt, 600);
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
  });

  test('another username holds the client id by now: nothing of it is ended', async () => {
    core.takeover = 'allow';
    const attempt = await core.join('alice', 'a', 600);
    await core.join('bob', 'a', 600);
    core.broker.set('a', retained(600));
    await end('a', attempt, { changedToSeconds: seconds(0) });
    expect(ended).toEqual([]);
  });
});

describe('straight to the broker nothing tells what a DISCONNECT has changed', () => {
  const joinStraight = async (clientId: string, expiry: number): Promise<void> => {
    core.broker.set(clientId, { kind: 'connected', expirySeconds: seconds(expiry) });
    await core.connect('alice', clientId, { witness: 'broker', expiry: 3_600 });
    await core.event('connected', clientId, 1);
  };

  test('an expiry that was told shorter and is made longer at the end counts as long', async () => {
    await joinStraight('a', 30);
    core.broker.set('a', retained(86_400));
    await core.event('disconnected', 'a', 1);
    expect(await countedFor('a')).toBe(86_400_000);
  });

  test('while the broker cannot say it counts as long as any may be kept, and is asked about again', async () => {
    await joinStraight('a', 30);
    core.broker.set('a', { kind: 'unknown' });
    await core.event('disconnected', 'a', 1);
    expect(await countedFor('a')).toBeGreaterThanOrEqual(sessionExpirySecondsMax * 1_000);
    core.broker.delete('a');
    core.advance(31);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });

  test('an expiry of 0 stays 0 [MQTT-3.14.2-2]: freed without a question', async () => {
    await joinStraight('a', 0);
    core.broker.set('a', { kind: 'unknown' });
    await core.event('disconnected', 'a', 1);
    expect(await core.used('alice')).toBe(0);
  });
});

describe('what the account keeps persistent sessions of MQTT 3 for', () => {
  const accounts: End = { expirySeconds: seconds(3_600), expiryIsAccounts: true };

  /** Joins and ends clients until one end of each kind was met: asked about, and not. */
  async function endMany(count: number, kept: number): Promise<number> {
    const before = asked;
    for (let n = 0; n < count; n++) {
      const attempt = await core.join('alice', `c${n}`, 3_600);
      core.broker.set(`c${n}`, retained(kept));
      await end(`c${n}`, attempt, accounts);
    }
    return asked - before;
  }

  test('is learned from the broker once, counts, and is asked about by sample only', async () => {
    expect(await endMany(1, 7_200)).toBe(1);
    expect(await countedFor('c0')).toBe(7_200_000);
    const later = await endMany(64, 7_200);
    expect(later).toBeLessThan(20);
    for (let n = 0; n < 64; n++) expect(await countedFor(`c${n}`)).toBe(7_200_000);
  });

  test('a change of the account is noticed by the sample', async () => {
    await endMany(1, 7_200);
    await endMany(200, 60);
    core.advance(61);
    const attempt = await core.join('alice', 'last', 3_600);
    core.broker.set('last', retained(60));
    await end('last', attempt, accounts);
    expect(await countedFor('last')).toBe(60_000);
  });

  test('is not learned from a session that a newer CONNECT has changed', async () => {
    const attempt = await core.join('alice', 'a', 3_600);
    // The same client, back with MQTT 5 and an expiry of its own, and gone again: that is what the broker tells of.
    const { broker } = ports;
    let first = true;
    ports = {
      ...ports,
      broker: {
        ...broker,
        getConnection: async (id) => {
          if (first) {
            first = false;
            await core.connect('alice', 'a', { expiry: 1 });
            core.broker.set('a', retained(1));
          }
          return broker.getConnection(id);
        },
      },
    };
    await end('a', attempt, accounts);
    expect(await ports.accountExpiry?.expiryOf('zzzzzzzzzzzzzzzzzzzzzz' as AttemptId)).toBeUndefined();
  });

  test('where nobody has told it yet and the broker does not answer, the stand-in counts', async () => {
    const attempt = await core.join('alice', 'a', 3_600);
    core.broker.set('a', { kind: 'unknown' });
    await end('a', attempt, accounts);
    expect(await core.used('alice')).toBe(1);
    expect(await countedFor('a')).toBeGreaterThanOrEqual(3_600_000);
  });
});
