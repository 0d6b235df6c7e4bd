// Kicking one client (S15), on the real engine: what it frees, and what it leaves counted.

import { describe, expect, test } from 'vitest';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { type Kicked, type KickPorts, kickClient } from '../../shared/app/operations/kick.ts';
import { readReport } from '../../shared/app/presence/read-report.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { decideAfterKick } from '../../shared/domain/kick.ts';
import { meetSession, startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForEachTest } from '../support/tables.ts';
import { Mortal } from './mortal.ts';
import { type Core, createCore } from './rig.ts';

const demo = 'demo' as DeploymentId;
const client = (id: string): ClientId => id as ClientId;

let table: TestTable;
let core: Core;
/** What happens at the broker besides, while it is told; and how often it does not answer first. */
let meanwhile: (() => Promise<unknown>) | undefined;
let silent: number;
let told: string[];

const broker: Broker = {
  getConnection: async (id) => core.broker.get(id.slice('demo:'.length)) ?? { kind: 'absent' },
  async deleteConnection(id, { cleanSession }) {
    told.push(`${id} ${cleanSession}`);
    if (silent > 0) {
      silent -= 1;
      return 'unknown';
    }
    const there = core.broker.delete(id.slice('demo:'.length));
    await meanwhile?.();
    return there ? 'done' : 'gone';
  },
};

function ports(over: Partial<KickPorts> = {}): KickPorts {
  return {
    ...core.ports,
    broker,
    pause: async () => undefined,
    kickTries: 3,
    ...over,
  };
}

const kick = (id: string, of?: string): Promise<Kicked> =>
  kickClient(ports(), demo, client(id), of === undefined ? undefined : (of as Username));

/** Connected, for the core and for the broker. */
async function connected(username: string, id: string, expiry = 0): Promise<AttemptId> {
  const attempt = await core.join(username, id, expiry);
  core.broker.set(id, { kind: 'connected', expirySeconds: seconds(expiry) });
  return attempt;
}

async function admitted(username: string, id: string, expiry = 0): Promise<AttemptId> {
  const decision = await core.connect(username, id, { expiry });
  if (decision.kind === 'rejected') throw new Error(decision.reason);
  return decision.attempt;
}

tableForEachTest((created) => {
  table = created;
  core = createCore(table.client, table.tableName);
  core.max = undefined;
  meanwhile = undefined;
  silent = 0;
  told = [];
});

test('a connected client is disconnected, session and all, and its place is free at once', async () => {
  await connected('alice', 'a', 600);
  await connected('alice', 'b');
  expect(await kick('a')).toMatchObject({ kind: 'ended' });
  expect(told).toEqual(['demo:a true']);
  expect(core.broker.has('a')).toBe(false);
  expect(await core.used('alice')).toBe(1);
  expect(await core.session('alice', 'b')).toMatchObject({ phase: { kind: 'connected' } });
});

test('a retained session without a connection ends too', async () => {
  const attempt = await connected('alice', 'a', 600);
  await core.report('door.disconnected', 'alice', 'a', attempt, 600);
  core.broker.set('a', { kind: 'retained' });
  expect(await kick('a')).toMatchObject({ kind: 'ended' });
  expect(await core.used('alice')).toBe(0);
});

test('what is unknown: nothing is kicked, and the broker is not bothered', async () => {
  expect(await kick('never')).toEqual({ kind: 'nothing' });
  expect(told).toEqual([]);
});

describe('a tombstone is reached at the broker (S15)', () => {
  test('what lives on there uncounted is ended, and nothing is counted for it', async () => {
    const attempt = await connected('alice', 'a', 600);
    await core.report('door.disconnected', 'alice', 'a', attempt);
    expect(await core.used('alice')).toBe(0);
    core.broker.set('a', { kind: 'retained', expirySeconds: seconds(600) });
    expect(await kick('a')).toEqual({ kind: 'ended' });
    expect(told).toEqual(['demo:a true']);
    expect(core.broker.has('a')).toBe(false);
    expect(await core.used('alice')).toBe(0);
  });

  test('at least two hours later still; then it is unknown', async () => {
    const attempt = await connected('alice', 'a');
    await core.report('door.disconnected', 'alice', 'a', attempt);
    core.advance(7_199);
    expect(await kick('a')).toEqual({ kind: 'ended' });
    core.advance(2);
    expect(await kick('a')).toEqual({ kind: 'nothing' });
    expect(told).toHaveLength(1);
  });

  test('for as long as the broker had granted, where that is longer', async () => {
    const attempt = await connected('alice', 'a', 36_000);
    await core.report('door.disconnected', 'alice', 'a', attempt, 36_000);
    core.advance(36_000 + 7_199);
    expect(await core.used('alice')).toBe(1);
    expect(await kick('a')).toEqual({ kind: 'ended' });
    await core.sweep();
    expect(await kick('a')).toEqual({ kind: 'ended' });
    core.advance(2);
    expect(await kick('a')).toEqual({ kind: 'nothing' });
  });

  test('not where another username lives under the client id', async () => {
    const attempt = await connected('alice', 'a', 600);
    await core.report('door.disconnected', 'alice', 'a', attempt);
    await connected('bob', 'a');
    expect(await kick('a', 'alice')).toEqual({ kind: 'ended' });
    expect(told).toEqual([]);
    expect(await core.used('bob')).toBe(1);
  });

  test('a broker that does not answer is told, as with a live session', async () => {
    const attempt = await connected('alice', 'a');
    await core.report('door.disconnected', 'alice', 'a', attempt);
    silent = 3;
    expect(await kick('a')).toEqual({ kind: 'unavailable' });
  });
});

test('twice at once, and once more: freed once', async () => {
  await connected('alice', 'a');
  await connected('alice', 'b');
  await Promise.all([kick('a'), kick('a'), kick('a')]);
  expect(await kick('a')).toEqual({ kind: 'ended' });
  expect(await core.used('alice')).toBe(1);
});

test('the end that the kick brought about, told before it is freed, keeps nothing of it', async () => {
  const attempt = await connected('alice', 'a', 600);
  // The front door knows the expiry that was granted, not that the broker dropped the session.
  meanwhile = () => core.report('door.disconnected', 'alice', 'a', attempt, 600);
  expect(await kick('a')).toMatchObject({ kind: 'ended' });
  expect(await core.used('alice')).toBe(0);
});

test('the end that the kick brought about, told late and twice, changes nothing', async () => {
  const attempt = await connected('alice', 'a', 600);
  await kick('a');
  for (let n = 0; n < 2; n++) await core.report('door.disconnected', 'alice', 'a', attempt, 600);
  await core.event('disconnected', 'a', 1, 'API_INITIATED_DISCONNECT');
  expect(await core.used('alice')).toBe(0);
});

test('one that has come back in between stays counted, and a late word of its old end frees nothing', async () => {
  const old = await connected('alice', 'a');
  let back: AttemptId | undefined;
  meanwhile = async () => {
    core.advance(1);
    back = await admitted('alice', 'a');
    core.broker.set('a', { kind: 'connected' });
  };
  await kick('a');
  expect(await core.used('alice')).toBe(1);
  if (back === undefined) throw new Error('not admitted');
  await core.report('door.connected', 'alice', 'a', back);
  await core.report('door.disconnected', 'alice', 'a', old);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
  expect(await core.used('alice')).toBe(1);
});

test('one that has come back, and is confirmed, before the kick frees: the broker is asked, and it stays counted', async () => {
  await connected('alice', 'a');
  meanwhile = async () => {
    await core.join('alice', 'a');
    core.broker.set('a', { kind: 'connected' });
  };
  expect(await kick('a')).toMatchObject({ kind: 'returned' });
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
  expect(await core.used('alice')).toBe(1);
});

test('one that came back over a persistent session and fails: what it came back to is over', async () => {
  await connected('alice', 'a', 600);
  let back: AttemptId | undefined;
  meanwhile = async () => {
    core.advance(1);
    back = await admitted('alice', 'a', 600);
    core.advance(-1);
  };
  expect(await kick('a')).toMatchObject({ kind: 'returned' });
  if (back === undefined) throw new Error('not admitted');
  await core.report('door.failed', 'alice', 'a', back);
  expect(await core.used('alice')).toBe(0);
});

describe('an attempt on its way to the broker', () => {
  test('is not freed without proof; its lease is hastened, and the broker decides', async () => {
    await admitted('alice', 'a');
    expect(await kick('a')).toMatchObject({ kind: 'pending' });
    expect(await core.used('alice')).toBe(1);
    core.advance(12);
    await core.sweep();
    expect(await core.used('alice')).toBe(1);
    core.advance(2);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });

  test('and arrives after the kick: it is a connection, and stays counted', async () => {
    const attempt = await admitted('alice', 'a');
    await kick('a');
    core.broker.set('a', { kind: 'connected' });
    await core.report('door.connected', 'alice', 'a', attempt);
    core.advance(14);
    await core.sweep();
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await core.used('alice')).toBe(1);
  });

  test('and arrives after the kick, and leaves later: its end counts as any other, by the broker’s word', async () => {
    const attempt = await admitted('alice', 'a', 600);
    await kick('a');
    core.broker.set('a', { kind: 'connected', expirySeconds: seconds(600) });
    await core.report('door.connected', 'alice', 'a', attempt, 600);
    core.advance(14);
    await core.sweep();
    core.advance(60);
    core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(600) });
    await core.report('door.disconnected', 'alice', 'a', attempt, 600);
    expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
    core.advance(601);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });

  test('and confirmed between kick and freeing: it may have arrived after, so it is not freed on the kick', async () => {
    const attempt = await admitted('alice', 'a');
    meanwhile = async () => {
      core.broker.set('a', { kind: 'connected' });
      await core.report('door.connected', 'alice', 'a', attempt);
    };
    await kick('a');
    expect(await core.used('alice')).toBe(1);
  });

  test('S12: that the kick met: freed as soon as the front door has told its end, and the broker has nothing', async () => {
    const attempt = await admitted('alice', 'a', 600);
    core.broker.set('a', { kind: 'connected', expirySeconds: seconds(600) });
    await kick('a');
    await core.report('door.connected', 'alice', 'a', attempt, 600);
    expect(await core.used('alice')).toBe(1);
    await core.report('door.disconnected', 'alice', 'a', attempt, 600);
    expect(await core.used('alice')).toBe(0);
  });

  test('never sent: the same', async () => {
    const attempt = await admitted('alice', 'a');
    await kick('a');
    await core.reportUnsent('alice', 'a', attempt);
    expect(await core.used('alice')).toBe(0);
  });

  test('that the kick met: nothing that is told of its connection afterwards brings a session back', async () => {
    const attempt = await admitted('alice', 'a', 600);
    core.broker.set('a', { kind: 'connected', expirySeconds: seconds(600) });
    await kick('a');
    await core.report('door.connected', 'alice', 'a', attempt, 600);
    await core.report('door.disconnected', 'alice', 'a', attempt, 600);
    core.advance(14);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });

  test('straight to the broker, that the kick met: the same', async () => {
    core.broker.set('a', { kind: 'connected', expirySeconds: seconds(600) });
    await core.connect('alice', 'a', { witness: 'broker', expiry: 600 });
    await kick('a');
    await core.event('disconnected', 'a', 1, 'API_INITIATED_DISCONNECT');
    await core.event('connected', 'a', 1);
    core.advance(14);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });

  test('over a retained session: the session is over, the attempt is for the broker to tell', async () => {
    const first = await connected('alice', 'a', 600);
    await core.report('door.disconnected', 'alice', 'a', first, 600);
    const second = await admitted('alice', 'a', 600);
    expect(await kick('a')).toMatchObject({ kind: 'pending' });
    await core.report('door.failed', 'alice', 'a', second);
    core.advance(14);
    await core.sweep();
    expect(await core.used('alice')).toBe(0);
  });
});

describe('where the broker does not answer', () => {
  test('it is asked again, a bounded number of times', async () => {
    await connected('alice', 'a');
    silent = 2;
    expect(await kick('a')).toMatchObject({ kind: 'ended' });
    expect(told.length).toBe(3);
    expect(await core.used('alice')).toBe(0);
  });

  test('then that is said, and nothing is half done', async () => {
    await connected('alice', 'a');
    const before = await core.session('alice', 'a');
    silent = 3;
    expect(await kick('a')).toEqual({ kind: 'unavailable' });
    expect(told.length).toBe(3);
    expect(await core.session('alice', 'a')).toEqual(before);
    expect(await core.used('alice')).toBe(1);
  });
});

describe('a client id that is changing hands', () => {
  test('kicked while the newcomer is on its way: the old session is over, the newcomer is for the broker to tell', async () => {
    core.takeover = 'allow';
    await connected('alice', 'shared', 600);
    const newcomer = await admitted('bob', 'shared');
    expect(await kick('shared')).toMatchObject({ kind: 'pending' });
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
    core.broker.set('shared', { kind: 'connected' });
    await core.report('door.connected', 'bob', 'shared', newcomer);
    core.advance(14);
    await core.sweep();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  });

  test("a username's kick never hits another's connection", async () => {
    core.takeover = 'allow';
    await connected('alice', 'shared');
    core.advance(60);
    const newcomer = await admitted('bob', 'shared');
    await core.report('door.connected', 'bob', 'shared', newcomer);
    core.broker.set('shared', { kind: 'connected' });
    expect(await kick('shared', 'alice')).toEqual({ kind: 'ended' });
    expect(told).toEqual([]);
    expect(await core.used('bob')).toBe(1);
  });
});

describe('its process dies', () => {
  const calls = 8;
  const deaths = Array.from({ length: calls }, (_, n) => n + 1).flatMap((at) =>
    (['before', 'after'] as const).map((when) => ({ at, when })),
  );

  test(`a kick is ${calls} calls`, async () => {
    await connected('alice', 'a', 600);
    const whole = new Mortal(1_000, 'before');
    await kickClient(ports(asMortal(whole)), demo, client('a'));
    expect(whole.calls).toBe(calls);
  });

  function asMortal(mortal: Mortal): Partial<KickPorts> {
    const store = createSessionStore(mortal.client(table.client), table.tableName, cryptoRandom);
    return { store, broker: mortal.broker(broker) };
  }

  test.each(deaths)(
    '$when its call $at: counted too many at most, and right after the next kick or sweep',
    async ({ at, when }) => {
      await connected('alice', 'a', 600);
      await connected('alice', 'b', 600);
      const mortal = new Mortal(at, when);
      const done = await Promise.race([mortal.died, kickClient(ports(asMortal(mortal)), demo, client('a'))]);
      expect(done).toBe('died');
      const live = core.broker.size;
      expect(await core.used('alice')).toBeGreaterThanOrEqual(live);
      core.advance(31);
      const freed = (await core.session('alice', 'a'))?.phase.kind === 'ended';
      await core.sweep();
      // Once its tombstone is written, nobody has to ask again for its place to come free.
      if (freed) expect(await core.used('alice')).toBe(1);
      await kick('a');
      expect(await core.used('alice')).toBe(1);
      expect(await core.session('alice', 'b')).toMatchObject({ phase: { kind: 'connected' } });
    },
  );
});

test('S12: what a kick has ended keeps nothing when the attempt after it fails, however its own end is told', () => {
  const names = { deploymentId: demo, username: 'alice' as Username, clientId: 'a' as ClientId };
  const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
  const at = (time: number) => ms(1_790_000_000_000 + time * 1_000);
  const admission = (time: number) =>
    ({ attempt: `attempt-${time}` as AttemptId, witness: 'door', at: at(time), expirySeconds: seconds(600) }) as const;
  const begun = startSession(names, cryptoRandom.place(), admission(0), policy, undefined, false);
  const told = { at: at(1), expirySeconds: seconds(600), attempt: admission(0).attempt };
  const before = confirmSession(begun, told, policy);
  const now = meetSession(before, admission(60), policy, false);
  const after = decideAfterKick({ before, askedAt: at(50), overAt: at(51) }, now);
  const next = 'next' in after ? after.next : undefined;
  expect(after.kind).toBe('returned');
  const ports = { policy };
  const end = {
    ...names,
    type: 'door.disconnected',
    at: at(52),
    attempt: admission(0).attempt,
    expirySeconds: seconds(600),
  } as const;
  const noted = readReport(next as Session, end, ports, at(61));
  const failed = { ...names, type: 'door.failed', at: at(62), attempt: admission(60).attempt } as const;
  const left = readReport((noted as { next: Session }).next, failed, ports, at(62));
  expect((left as { next: Session }).next.phase).toMatchObject({ kind: 'ended', disconnectedAt: at(51) });
});
