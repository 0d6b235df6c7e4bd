// S17, second half: what is counted of clients that were admitted while the database did not answer, whatever came
// before, in between and after. On the real engine.

import { describe, expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import { parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { UncountedAdmission } from '../../shared/ports/presence/presence.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
const deploymentId = 'demo' as DeploymentId;

tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

/** A client is let in now; the message waits. */
function letIn(
  username: string,
  clientId: string,
  expiry = 0,
  witness: 'door' | 'broker' = 'door',
): UncountedAdmission {
  return {
    type: 'admitted',
    deploymentId,
    username: username as Username,
    clientId: clientId as ClientId,
    attempt: cryptoRandom.attemptId(),
    place: cryptoRandom.place(),
    at: core.now(),
    witness,
    expirySeconds: seconds(expiry),
    protocolVersion: 5,
    ipAddress: '192.0.2.1',
  };
}
const count = (message: UncountedAdmission) => countAdmitted(core.ports, message);
const connected = (clientId: string, since = core.now()) => core.broker.set(clientId, { kind: 'connected', since });

/** Everything that is due is looked at, and what it made due too. */
async function settle(): Promise<void> {
  for (let n = 0; n < 3; n++) {
    core.advance(31);
    await core.sweep();
  }
}

test('is counted over the limit and flagged, then confirmed by its own report, and freed by its end', async () => {
  for (const id of ['a', 'b']) await core.join('alice', id);
  const message = letIn('alice', 'c');
  expect(await count(message)).toBe('done');
  expect(await core.used('alice')).toBe(3);
  expect(await core.session('alice', 'c')).toMatchObject({
    phase: { kind: 'new' },
    recounted: true,
    attempts: [{ ipAddress: '192.0.2.1' }],
  });
  await core.report('door.connected', 'alice', 'c', message.attempt);
  expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'connected' }, recounted: true });
  expect(await core.connect('alice', 'd')).toMatchObject({ kind: 'rejected', reason: 'quota_exceeded' });
  await core.report('door.disconnected', 'alice', 'c', message.attempt);
  expect(await core.used('alice')).toBe(2);
});

describe('twice is once', () => {
  test('at once, while pending, connected, retained, freed', async () => {
    const message = letIn('alice', 'c', 600);
    await Promise.all([count(message), count(message), count(message)]);
    expect(await core.used('alice')).toBe(1);
    const again = async (used: number) => {
      expect(await count(message)).toBe('done');
      expect(await core.used('alice')).toBe(used);
    };
    await again(1);
    await core.report('door.connected', 'alice', 'c', message.attempt, 600);
    await again(1);
    await core.report('door.disconnected', 'alice', 'c', message.attempt, 600);
    await again(1);
    expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'retained' } });
    core.advance(601);
    await core.sweep();
    await again(0);
    expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'ended' } });
  });

  test('after the process died between the session and its place', async () => {
    const message = letIn('alice', 'c');
    await count(message);
    // As if the place had never been written.
    await core.store.removePlace(deploymentId, message.username, message.place, true);
    await count(message);
    expect(await core.used('alice')).toBe(1);
  });
});

describe('its own reports came first, and found nothing', () => {
  test('connected: the broker confirms it', async () => {
    const message = letIn('alice', 'c', 600);
    await core.report('door.connected', 'alice', 'c', message.attempt, 600);
    connected('c');
    await count(message);
    await settle();
    expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await core.used('alice')).toBe(1);
    core.broker.delete('c');
    await core.report('door.disconnected', 'alice', 'c', message.attempt, 0);
    await settle();
    expect(await core.used('alice')).toBe(0);
  });

  test.each(['door.disconnected', 'door.failed'] as const)('%s: nothing of it stays', async (type) => {
    const message = letIn('alice', 'c');
    await core.report(type, 'alice', 'c', message.attempt);
    await count(message);
    await settle();
    expect(await core.used('alice')).toBe(0);
    expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'ended' } });
  });
});

describe('its own report of being connected', () => {
  const report = (type: 'door.connected' | 'door.disconnected', message: UncountedAdmission, expiry = 0) => {
    const { username, clientId, attempt } = message;
    const at = core.now();
    const expirySeconds = seconds(expiry);
    return applyDoorReport(core.ports, {
      type,
      deploymentId,
      username,
      clientId,
      attempt,
      at,
      uncounted: true,
      expirySeconds,
    });
  };

  test('waits for its count', async () => {
    expect(await report('door.connected', letIn('alice', 'c'))).toBe('later');
  });

  test('holds if the broker says so: its end may have come before there was a record to read it by', async () => {
    const [there, gone] = [letIn('alice', 'there'), letIn('alice', 'gone')];
    await count(there);
    await count(gone);
    connected('there');
    for (const message of [there, gone]) expect(await report('door.connected', message)).toBe('done');
    expect(await core.session('alice', 'there')).toMatchObject({ phase: { kind: 'connected' } });
    expect(await core.session('alice', 'gone')).toMatchObject({ phase: { kind: 'new' } });
    await settle();
    expect(await core.used('alice')).toBe(1);
  });

  test.each([
    ['nothing: a kick has ended it before it had a record', 'absent', 0],
    ['what it keeps', 'retained', 1],
  ] as const)('has the broker asked at its end, who shows %s', async (_what, kind, used) => {
    const message = letIn('alice', 'c', 60);
    await count(message);
    core.broker.set('c', { kind: 'unknown' });
    await report('door.connected', message, 60);
    core.broker.set(
      'c',
      kind === 'absent' ? { kind } : { kind, disconnectedAt: core.now(), expirySeconds: seconds(60) },
    );
    await report('door.disconnected', message, 60);
    expect(await core.used('alice')).toBe(used);
  });

  test('while nobody can say, its end is believed at once', async () => {
    const message = letIn('alice', 'c');
    await count(message);
    core.broker.set('c', { kind: 'unknown' });
    await report('door.connected', message);
    await report('door.disconnected', message);
    expect(await core.used('alice')).toBe(0);
  });
});

describe('the client has come again', () => {
  test('and has gone: the messages of both attempts come once more, and change nothing', async () => {
    const first = letIn('alice', 'c');
    core.advance(1);
    const second = letIn('alice', 'c');
    await count(first);
    await count(second);
    await settle();
    expect(await core.used('alice')).toBe(0);
    await count(first);
    await count(second);
    expect(await core.used('alice')).toBe(0);
  });

  test('by an attempt that died before it was counted: what is there is counted', async () => {
    const message = letIn('alice', 'c');
    core.advance(60);
    await core.connect('alice', 'c');
    const before = await core.session('alice', 'c');
    await core.store.removePlace(deploymentId, message.username, before?.place ?? message.place, true);
    await count(message);
    expect(await core.used('alice')).toBe(1);
    expect(await core.session('alice', 'c')).toMatchObject({ recounted: true, ambiguity: 'unknown' });
  });

  test('by an attempt that came to nothing: its tombstone proves nothing of the one before', async () => {
    const message = letIn('alice', 'c');
    connected('c');
    core.advance(60);
    const later = await core.connect('alice', 'c');
    if (later.kind !== 'admitted') throw new Error('turned away');
    await core.report('door.failed', 'alice', 'c', later.attempt);
    expect(await core.used('alice')).toBe(0);
    await count(message);
    await settle();
    expect(await core.used('alice')).toBe(1);
    expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'connected' } });
  });

  test('an outage met its live session: nothing new to count, and its new connection ends as its own', async () => {
    await core.join('alice', 'c');
    core.advance(60);
    const message = letIn('alice', 'c');
    await count(message);
    expect(await core.used('alice')).toBe(1);
    await core.report('door.connected', 'alice', 'c', message.attempt);
    await core.report('door.disconnected', 'alice', 'c', message.attempt);
    expect(await core.used('alice')).toBe(0);
  });

  test('its attempt of before the outage was never counted: it is now', async () => {
    const names = { deploymentId, username: 'alice' as Username, clientId: 'c' as ClientId };
    await core.connect('alice', 'c');
    const before = await core.store.readSession(names);
    await core.store.removePlace(deploymentId, names.username, before?.value.place ?? cryptoRandom.place(), true);
    core.advance(60);
    await count(letIn('alice', 'c'));
    expect(await core.used('alice')).toBe(1);
    expect(await core.session('alice', 'c')).toMatchObject({ recounted: true });
  });

  test('reconnected and gone before the message came: it changes nothing', async () => {
    const message = letIn('alice', 'c');
    core.advance(60);
    const attempt = await core.join('alice', 'c');
    await count(message);
    expect(await core.session('alice', 'c')).toMatchObject({
      attempts: [
        { id: attempt, state: 'connected' },
        { id: message.attempt, uncounted: true },
      ],
      phase: { kind: 'connected' },
      ambiguity: 'none',
    });
    await core.report('door.disconnected', 'alice', 'c', attempt);
    await count(message);
    expect(await core.used('alice')).toBe(0);
  });

  test('reconnected within the error of clocks: its count is kept until the broker says that nothing is there', async () => {
    const message = letIn('alice', 'c');
    core.advance(1);
    const attempt = await core.join('alice', 'c');
    await count(message);
    connected('c');
    core.advance(30);
    // The end of one of the two; the other may be the connection that is there.
    await core.report('door.disconnected', 'alice', 'c', attempt);
    expect(await core.used('alice')).toBe(1);
    core.broker.delete('c');
    await core.report('door.disconnected', 'alice', 'c', message.attempt);
    expect(await core.used('alice')).toBe(0);
  });

  test('two outages, the messages in the wrong order: one session, and the latest attempt holds it', async () => {
    const first = letIn('alice', 'c');
    core.advance(60);
    const second = letIn('alice', 'c');
    await count(second);
    await count(first);
    expect(await core.used('alice')).toBe(1);
    expect(await core.session('alice', 'c')).toMatchObject({
      attempts: [{ id: second.attempt }, { id: first.attempt, uncounted: true }],
    });
  });
});

describe('the client id is somebody else’s', () => {
  test('it was held live before: both count until the broker tells whose it is, then one', async () => {
    await core.join('bob', 'c');
    core.advance(60);
    const message = letIn('alice', 'c');
    await count(message);
    expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 1]);
    connected('c');
    await core.report('door.connected', 'alice', 'c', message.attempt);
    await settle();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
  });

  test('a process that dies when the client id is the newcomer’s has left the old session to its lease', async () => {
    await core.join('bob', 'c');
    core.advance(60);
    const message = letIn('alice', 'c');
    connected('c');
    const store = {
      ...core.store,
      addPlace: () => Promise.reject(new Error('it dies')),
    };
    await expect(countAdmitted({ ...core.ports, store }, message)).rejects.toThrow('it dies');
    await count(message);
    await settle();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([1, 0]);
  });

  test('its attempt is pending, and the newcomer’s `connected` is read for it: only the broker confirms it', async () => {
    await core.connect('bob', 'c', { witness: 'broker' });
    core.advance(20);
    const message = letIn('alice', 'c', 0, 'broker');
    // The event finds bob as the holder, and the message is applied behind that reading.
    let isFirst = true;
    const store: Core['store'] = {
      ...core.store,
      async readOwner(...given) {
        const owner = await core.store.readOwner(...given);
        if (isFirst) {
          isFirst = false;
          await count(message);
        }
        return owner;
      },
    };
    const pair = { clientId: 'demo:c', timestamp: core.now(), sessionIdentifier: 's', versionNumber: 1 };
    const event = parseBrokerEvent({ ...pair, eventType: 'connected' }, core.now());
    if (!event.ok) throw new Error(event.problem);
    await applyBrokerEvent({ ...core.ports, store }, event.value);
    await settle();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 0]);
  });

  test('it has been taken since: the taker keeps it, and the broker says what is left', async () => {
    const message = letIn('alice', 'c');
    core.advance(60);
    await core.join('bob', 'c');
    connected('c');
    await count(message);
    await settle();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
    expect((await core.store.readOwner(deploymentId, message.clientId))?.value.username).toBe('bob');
  });
});

test('a connection that no admission can have made is nobody’s until its message has come', async () => {
  const before = await core.connect('alice', 'c', { witness: 'broker' });
  if (before.kind !== 'admitted') throw new Error('turned away');
  await settle();
  expect(await core.session('alice', 'c')).toMatchObject({ phase: { kind: 'ended' } });
  core.advance(300);
  const message = letIn('bob', 'c', 0, 'broker');
  connected('c');
  expect(await core.event('connected', 'c', 1)).toBe('later');
  expect(await core.used('alice')).toBe(0);
  await count(message);
  expect(await core.event('connected', 'c', 1)).toBe('done');
  expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  expect(await core.session('bob', 'c')).toMatchObject({ phase: { kind: 'connected' } });
});

test('an expired session gives its place back before the new life begins', async () => {
  const attempt = await core.join('alice', 'c', 10);
  await core.report('door.disconnected', 'alice', 'c', attempt, 10);
  core.advance(60);
  const message = letIn('alice', 'c');
  await count(message);
  const roster = await core.store.readRoster(deploymentId, 'alice' as Username);
  expect([...roster.places]).toEqual([message.place]);
});

test('a message of before the broker’s longest connection counts nothing', async () => {
  const message = letIn('alice', 'c');
  core.advance(86_400 + 60);
  await count(message);
  expect(await core.used('alice')).toBe(0);
});

test('straight to the broker: the lease asks the broker, which knows it or does not', async () => {
  const [there, gone] = [letIn('alice', 'there', 3_600, 'broker'), letIn('alice', 'gone', 3_600, 'broker')];
  connected('there');
  await count(there);
  await count(gone);
  expect(await core.used('alice')).toBe(2);
  await settle();
  expect(await core.used('alice')).toBe(1);
  expect(await core.session('alice', 'there')).toMatchObject({ phase: { kind: 'connected' } });
});

test('many clients, every message twice and side by side: one place a client id, and none when all are gone', async () => {
  const messages = Array.from({ length: 8 }, (_, n) => letIn('alice', `c${n % 5}`));
  await Promise.all(messages.flatMap((message) => [count(message), count(message)]));
  expect(await core.used('alice')).toBe(5);
  await settle();
  expect(await core.used('alice')).toBe(0);
});
