// A CONNECT that reaches the broker after its lease, when the broker has said truthfully that nothing was there. What the
// front door then tells of it counts it again (rule 4), whatever has become of its client id's record since.

import { expect, test } from 'vitest';
import { kickClient } from '../../shared/app/operations/kick.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { readReport } from '../../shared/app/presence/read-report.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import { compareWithBroker } from '../../shared/app/repair/compare-with-broker.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { countStrange } from '../../shared/domain/session/attempt.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

const names = {
  deploymentId: 'demo' as DeploymentId,
  username: 'alice' as Username,
  clientId: 'a' as ClientId,
};

async function admitted(expiry = 0): Promise<AttemptId> {
  const decision = await core.connect('alice', 'a', { expiry });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

/** At the broker; the front door's report of it may be told later. */
function arrive(expiry = 0): void {
  core.broker.set('a', { kind: 'connected', since: core.now(), expirySeconds: seconds(expiry) });
}

const tell = (type: 'door.connected' | 'door.disconnected', attempt: AttemptId, expiry = 0): Promise<unknown> =>
  core.report(type, 'alice', 'a', attempt, expiry);

/** The broker, with something that happens between its answer and what is made of it. */
function askedBefore(happens: () => Promise<unknown>): Broker {
  const { broker } = core.ports;
  return {
    ...broker,
    async getConnection(id) {
      const says = await broker.getConnection(id);
      await happens();
      return says;
    },
  };
}

/** It counts for as long as it is there, and not after it has gone. */
async function countsUntilItsEnd(attempt: AttemptId): Promise<void> {
  core.advance(3_600);
  await core.sweep();
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
  expect(await core.used('alice')).toBe(1);
  core.broker.delete('a');
  await tell('door.disconnected', attempt);
  expect(await core.used('alice')).toBe(0);
}

test('I2: the older of two attempts connects when the newer has come and gone and the lease has freed both', async () => {
  const older = await admitted();
  const newer = await admitted();
  await tell('door.connected', newer);
  await tell('door.disconnected', newer);
  core.advance(14);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
  arrive();
  await tell('door.connected', older);
  await countsUntilItsEnd(older);
});

test('I2: an attempt that its lease has freed connects over a newer session, whose end then frees nothing', async () => {
  const older = await admitted();
  core.advance(31);
  await core.sweep();
  const newer = await admitted();
  arrive();
  await tell('door.connected', newer);
  core.advance(5);
  arrive();
  await tell('door.connected', older);
  await tell('door.disconnected', newer);
  await countsUntilItsEnd(older);
});

test('I2: an attempt that its lease has freed connects while a newer one is pending, which then fails', async () => {
  const older = await admitted();
  core.advance(31);
  await core.sweep();
  const newer = await admitted();
  arrive();
  await tell('door.connected', older);
  await core.reportUnsent('alice', 'a', newer);
  core.advance(31);
  await core.sweep();
  await countsUntilItsEnd(older);
});

test('I2: a connection whose end is told an hour late, while an attempt is pending that comes to nothing, is asked about', async () => {
  const older = await admitted();
  arrive();
  await tell('door.connected', older);
  core.advance(7_200);
  const newer = await admitted();
  core.broker.delete('a');
  const pair = { sessionIdentifier: 'one', versionNumber: 1 };
  const at = ms(core.now() - 7_000_000);
  await applyBrokerEvent(core.ports, { ...names, type: 'disconnected', pair, at });
  await core.reportUnsent('alice', 'a', newer);
  core.advance(31);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

test('I2: a connection that the known one has replaced is told late: the end of the known one frees at once', async () => {
  const older = await admitted();
  const connectedAt = core.now();
  core.advance(31);
  await core.sweep();
  const newer = await core.join('alice', 'a');
  const report = {
    ...names,
    attempt: older,
    at: connectedAt,
    type: 'door.connected',
    expirySeconds: seconds(0),
  } as const;
  await applyDoorReport(core.ports, report);
  expect(await core.session('alice', 'a')).toMatchObject({ attempts: [{ id: newer }], ambiguity: 'none' });
});

test('S12: an attempt over a retained session connects after its lease, and counts beyond that session’s expiry', async () => {
  const first = await core.join('alice', 'a', 600);
  core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(600) });
  await tell('door.disconnected', first, 600);
  const late = await admitted(600);
  core.advance(31);
  await core.sweep();
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
  arrive(600);
  await tell('door.connected', late, 600);
  await countsUntilItsEnd(late);
});

test('I2: a CONNECT straight to the broker comes after its lease, over a session that the front door has told as retained', async () => {
  await core.connect('alice', 'a', { witness: 'broker' });
  core.advance(31);
  await core.sweep();
  const newer = await core.join('alice', 'a', 600);
  core.advance(20);
  core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(600) });
  await tell('door.disconnected', newer, 600);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
  core.advance(10);
  arrive(600);
  await core.event('connected', 'a', 1);
  core.advance(3_600);
  await core.sweep();
  expect(await core.used('alice')).toBe(1);
});

test('S15: an attempt that was on its way when it was kicked connects after its lease', async () => {
  const attempt = await admitted();
  const ports = { ...core.ports, pause: async () => undefined, kickTries: 1 };
  expect(await kickClient(ports, names.deploymentId, names.clientId)).toMatchObject({ kind: 'pending' });
  core.advance(31);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
  arrive();
  await tell('door.connected', attempt);
  await countsUntilItsEnd(attempt);
});

test('I2: an older report asks the broker, and another username ends under the client id before the answer is read', async () => {
  const older = await admitted();
  core.advance(31);
  await core.sweep();
  core.takeover = 'allow';
  const theirs = await core.join('bob', 'a');
  arrive();
  const broker = askedBefore(async () => {
    if (!core.broker.delete('a')) return;
    await core.report('door.disconnected', 'bob', 'a', theirs);
  });
  const report = {
    ...names,
    attempt: older,
    at: core.now(),
    type: 'door.connected',
    expirySeconds: seconds(0),
  } as const;
  await applyDoorReport({ ...core.ports, broker }, report);
  expect(await core.used('bob')).toBe(0);
  expect(await core.used('alice')).toBe(0);
});

test('I2: the broker does not answer, and a late report of a connection that is over comes twice: the session stays retained', async () => {
  const attempt = await admitted(600);
  const report = {
    ...names,
    attempt,
    at: core.now(),
    type: 'door.connected',
    expirySeconds: seconds(600),
  } as const;
  core.advance(31);
  core.broker.set('a', { kind: 'retained', disconnectedAt: core.now(), expirySeconds: seconds(600) });
  await core.sweep();
  core.broker.set('a', { kind: 'unknown' });
  await applyDoorReport(core.ports, report);
  await applyDoorReport(core.ports, report);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'retained' } });
  core.broker.delete('a');
  core.advance(31);
  await core.sweep();
  expect(await core.used('alice')).toBe(0);
});

/** Each is a record that the report of a late CONNECT changes nothing of, but that somebody else may be about to free. */
test.each([
  [
    'overlaps with a newer one, by the sweeper',
    async () => {
      const attempt = await admitted();
      await core.connect('alice', 'a', { witness: 'broker' });
      core.advance(31);
      return { attempt, look: (broker: Broker) => sweep({ ...core.ports, broker }) };
    },
  ],
  [
    'was kicked on its way, by the sweeper',
    async () => {
      const attempt = await admitted();
      await kickClient(
        { ...core.ports, pause: async () => undefined, kickTries: 1 },
        names.deploymentId,
        names.clientId,
      );
      core.advance(31);
      return { attempt, look: (broker: Broker) => sweep({ ...core.ports, broker }) };
    },
  ],
  [
    'the broker had confirmed before its own report, by the reconciler',
    async () => {
      const first = await core.join('alice', 'a');
      arrive();
      const attempt = await admitted();
      core.advance(31);
      await core.sweep();
      core.broker.delete('a');
      const session = await core.session('alice', 'a');
      expect(session).toMatchObject({ phase: { kind: 'connected' }, attempts: [{ id: attempt }] });
      expect(first).not.toBe(attempt);
      if (session === undefined) throw new Error('it was there');
      return { attempt, look: (broker: Broker) => compareWithBroker({ ...core.ports, broker }, session) };
    },
  ],
])('I2: between the question and the write an attempt connects that %s: it is asked again', async (_which, begin) => {
  const { attempt, look } = await begin();
  let isFirst = true;
  await look(
    askedBefore(async () => {
      if (!isFirst) return;
      isFirst = false;
      arrive();
      await tell('door.connected', attempt);
    }),
  );
  expect(isFirst).toBe(false);
  await countsUntilItsEnd(attempt);
});

test('clocks that differ: a sweeper that is 3 s ahead does not free what may be on its way for 10 s', async () => {
  const older = await admitted();
  const newer = await admitted();
  await tell('door.connected', newer);
  await tell('door.disconnected', newer);
  core.advance(9);
  await sweep({ ...core.ports, clock: { now: () => ms(core.now() + 3_000) } });
  expect(await core.used('alice')).toBe(1);
  arrive();
  await tell('door.connected', older);
  await countsUntilItsEnd(older);
});

test('I2: a connection straight to the broker ends while an attempt through the front door is pending, which then fails', async () => {
  await core.connect('alice', 'a', { witness: 'broker', expiry: 600 });
  await core.event('connected', 'a', 1);
  const attempt = await admitted(600);
  await core.event('disconnected', 'a', 1, 'CLIENT_INITIATED_DISCONNECT');
  await core.reportUnsent('alice', 'a', attempt);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'ended' } });
  expect(await core.used('alice')).toBe(0);
});

test('I2: a late report confirms no session that is known to be over, and is only asked about', async () => {
  const first = await admitted(600);
  await tell('door.connected', first, 600);
  await tell('door.disconnected', first, 600);
  const retained = await core.session('alice', 'a');
  if (retained === undefined) throw new Error('it is retained');
  const asked = countStrange(retained, ms(core.now() + 600_000), ms(core.now() + 30_000));
  const late = {
    ...names,
    attempt: 'late' as AttemptId,
    at: core.now(),
    type: 'door.connected',
    expirySeconds: seconds(600),
  } as const;
  expect(readReport(asked, late, core.ports, core.now())).toEqual({ since: late.at });
});
