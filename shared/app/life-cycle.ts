// What happens to admitted sessions, told by the front door or by broker events, late, twice, lost or out of order.
// The rules are numbered as in ARCHITECTURE.md, "How events are read".

import { toBrokerClientId, type Username } from '../domain/ids.ts';
import {
  abandonAttempt,
  type Confirmation,
  closePair,
  confirmSession,
  type Ending,
  endSession,
  freeSession,
  hastenLease,
  isClosed,
  isLive,
  noteEnding,
  type Policy,
  recountSession,
  type Session,
  samePair,
} from '../domain/session.ts';
import { later, type Ms, type Seconds, seconds } from '../domain/time.ts';
import type { Broker, BrokerSays } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { DoorReport } from '../ports/presence.ts';
import type { Random } from '../ports/random.ts';
import type { Names, SessionStore, Stored } from '../ports/sessions.ts';
import type { BrokerEvent } from './broker-event.ts';
import { settleFreed } from './free.ts';

export interface LifeCyclePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: Broker;
  readonly policy: Policy;
}

/** `later`: it cannot be told yet; the message is to be delivered again after some seconds. */
export type Applied = 'done' | 'later';

/** What a decision makes of a record: a next record to write, or a question for the broker, or nothing. */
type Step =
  | { readonly next: Session }
  | 'ask the broker'
  /** Ask, and write this record where the broker cannot say. */
  | { readonly orElse: Session }
  | 'later'
  | 'nothing';

const maxRounds = 16;
const staleEventMs = 3_600_000;
/** The authorizer's 5 s, and as long again for the broker to say that it is connected. */
const connectGraceSeconds = 10;

export async function applyDoorReport(ports: LifeCyclePorts, report: DoorReport): Promise<Applied> {
  return change(ports, report, (session, now) => readReport(session, report, ports, now));
}

/** `doorSilent`: the front door has had its time to report the end of the connection, and has not. */
export async function applyBrokerEvent(
  ports: LifeCyclePorts,
  event: BrokerEvent,
  doorSilent = false,
): Promise<Applied> {
  const owner = await ports.store.readOwner(event.deploymentId, event.clientId);
  // A client id that was never admitted: not ours, or its tombstone has gone.
  if (owner === undefined) return 'done';
  const names = { deploymentId: event.deploymentId, clientId: event.clientId, username: owner.value.username };
  const expirySeconds = event.type === 'connected' ? await askExpiry(ports, names) : undefined;
  return change(ports, names, (session, now) => readEvent(session, event, { expirySeconds, doorSilent }, ports, now));
}

/**
 * No event tells the session expiry of a client that goes straight to the broker; the broker does (S10). Undefined
 * where it cannot be asked or need not: then what was admitted stands in.
 */
async function askExpiry(ports: LifeCyclePorts, names: Names): Promise<Seconds | undefined> {
  const stored = await ports.store.readSession(names);
  if (stored === undefined || stored.value.witness === 'door' || stored.value.leaseUntil === undefined)
    return undefined;
  const says = await ports.broker.getConnection(toBrokerClientId(names.deploymentId, names.clientId));
  return says.kind === 'connected' ? says.expirySeconds : undefined;
}

/** What the broker says of a session, made its record (S12, S13). Used by the sweeper and wherever events are unsure. */
export function readTruth(
  session: Session,
  says: BrokerSays,
  ports: Pick<LifeCyclePorts, 'policy' | 'random'>,
  now: Ms,
): Session | undefined {
  switch (says.kind) {
    case 'unknown':
      return undefined;
    case 'absent':
      return freeSession(session, { owes: true });
    case 'retained':
      return endSession(
        session,
        { at: says.disconnectedAt ?? now, expirySeconds: says.expirySeconds ?? session.expirySeconds },
        now,
      );
    case 'connected': {
      // Which connection it is, the broker does not say: from now on nothing frees it on an event alone.
      const since = says.since ?? now;
      const told: Confirmation = { at: since, expirySeconds: says.expirySeconds };
      if (session.holding === 'freed') return recountSession(session, ports.random.place(), told, ports.policy);
      return confirmSession(
        { ...session, overlap: true, admittedAt: later(session.admittedAt, since) },
        told,
        ports.policy,
      );
    }
  }
}

/** Reads, decides, writes if nobody wrote in between, and carries out what the new record asks of the roster. */
export async function change(
  ports: LifeCyclePorts,
  names: Names,
  decide: (session: Session, now: Ms) => Step,
): Promise<Applied> {
  const { store, clock } = ports;
  let stored = await store.readSession(names);
  for (let round = 0; round < maxRounds; round++) {
    if (stored === undefined) return 'done';
    let step = decide(stored.value, clock.now());
    if (step === 'later') return 'later';
    if (step === 'ask the broker' || (typeof step === 'object' && 'orElse' in step)) {
      const orElse = typeof step === 'object' ? step.orElse : undefined;
      const says = await askBroker(ports, names);
      const now = clock.now();
      // An attempt inside its lease may be on its way to the broker still: that nothing is there yet proves nothing.
      const early = stored.value.leaseUntil !== undefined && stored.value.leaseUntil > now && says.kind !== 'connected';
      const next = (early ? undefined : readTruth(stored.value, says, ports, now)) ?? orElse;
      if (next === undefined) return 'later';
      step = { next };
    }
    if (step === 'nothing') {
      await finishFreed(ports, stored);
      return 'done';
    }
    const put = await store.putSession(step.next, stored);
    if (put.kind === 'done') {
      await carryOut(ports, stored.value, { value: step.next, revision: put.revision });
      return 'done';
    }
    stored = put.current;
  }
  return 'later';
}

/** The broker knows client ids, not usernames: of an id that has changed hands it speaks of whoever holds it now. */
async function askBroker(ports: LifeCyclePorts, names: Names): Promise<BrokerSays> {
  const { deploymentId, clientId } = names;
  const owner = await ports.store.readOwner(deploymentId, clientId);
  if (owner !== undefined && owner.value.username !== names.username) {
    const theirs = await ports.store.readSession({ ...names, username: owner.value.username });
    if (theirs?.value.holding === 'connected') return { kind: 'absent' };
    // Theirs is on its way: until it is there, nobody can say whose connection the broker speaks of.
    if (theirs !== undefined && isLive(theirs.value, ports.clock.now())) return { kind: 'unknown' };
  }
  return ports.broker.getConnection(toBrokerClientId(deploymentId, clientId));
}

/** Nothing to change, but an earlier delivery may have died between the tombstone and the roster. */
async function finishFreed(ports: LifeCyclePorts, stored: Stored<Session>): Promise<void> {
  const session = stored.value;
  if (session.holding !== 'freed') {
    if (session.holding === 'retained')
      await ports.store.lowerWake(session.deploymentId, session.username, session.dueAt);
    return;
  }
  if (session.owes === true) await settleFreed(ports, stored, 2);
  else await ports.store.removePlace(session.deploymentId, session.username, session.place, false);
}

/** What a written record means for the roster. Repeating it changes nothing. */
async function carryOut(ports: LifeCyclePorts, before: Session, now: Stored<Session>): Promise<void> {
  const { store } = ports;
  const { deploymentId, username, place, holding } = now.value;
  if (holding === 'freed') {
    const roster = await store.readRoster(deploymentId, username);
    if (now.value.owes === true) await settleFreed(ports, now, roster.used);
    else if (roster.places.has(place)) await store.removePlace(deploymentId, username, place, roster.used <= 1);
    return;
  }
  // Shorter than before: the roster must not sleep past it.
  if (now.value.dueAt < before.dueAt) await store.lowerWake(deploymentId, username, now.value.dueAt);
  if (place !== before.place)
    await store.addPlace(deploymentId, username, place, Number.POSITIVE_INFINITY, now.value.dueAt);
  if (holding === 'connected' && before.supersedes !== undefined)
    await endSuperseded(ports, now.value, before.supersedes);
}

/** The newcomer is connected, so the broker has thrown out whoever held the client id before (S9). */
async function endSuperseded(ports: LifeCyclePorts, newcomer: Session, username: Username): Promise<void> {
  const names = { deploymentId: newcomer.deploymentId, clientId: newcomer.clientId, username };
  await change(ports, names, (session) => {
    if (session.holding === 'freed' || session.admittedAt > newcomer.admittedAt) return 'nothing';
    return { next: freeSession(session, { owes: true }) };
  });
}

/** The front door knows the attempt, so nothing is guessed. */
function readReport(session: Session, report: DoorReport, ports: LifeCyclePorts, now: Ms): Step {
  const latest = session.attempt === report.attempt;
  if (report.type === 'door.connected') {
    if (!latest || session.confirmedAttempt === report.attempt) return 'nothing';
    const told = { at: report.at, expirySeconds: report.expirySeconds, attempt: report.attempt };
    // Its lease ran out before this report came, and it was freed: it is connected all the same.
    if (session.holding === 'freed') {
      return session.overAttempt !== report.attempt
        ? { next: recountSession(session, ports.random.place(), told, ports.policy) }
        : 'nothing';
    }
    return session.leaseUntil === undefined ? 'nothing' : { next: confirmSession(session, told, ports.policy) };
  }
  if (session.holding === 'freed') return 'nothing';
  if (report.type === 'door.failed') {
    return latest && session.leaseUntil !== undefined ? { next: abandonAttempt(session, now) } : 'nothing';
  }
  const ending: Ending = { at: report.at, expirySeconds: report.expirySeconds };
  if (latest && session.confirmedAttempt !== report.attempt) {
    // Its `connected` report is late or lost; a connection that ended has been one.
    return session.leaseUntil === undefined ? 'nothing' : { next: endSession(session, ending, now) };
  }
  if (session.confirmedAttempt !== report.attempt) return 'nothing';
  return session.leaseUntil === undefined
    ? { next: endSession(session, ending, now) }
    : { next: noteEnding(session, ending, undefined) };
}

interface Aside {
  /** As the broker told when it was asked about a `connected`. */
  readonly expirySeconds: Seconds | undefined;
  readonly doorSilent: boolean;
}

function readEvent(session: Session, event: BrokerEvent, aside: Aside, ports: LifeCyclePorts, now: Ms): Step {
  // Rule 5: what is older than an hour (a replayed dead-letter queue) is settled by asking the broker only.
  if (now - event.at > staleEventMs) return session.holding === 'freed' ? 'nothing' : 'ask the broker';
  switch (event.type) {
    case 'connected':
      return readConnected(session, event, aside.expirySeconds, ports);
    case 'disconnected':
      return readDisconnected(session, event, aside.doorSilent, now);
    case 'connect_failed':
      // Rule 6: it has no version, and a stranger can provoke it. The lease is checked at once, nothing is freed on it.
      return session.witness === 'door' ? 'nothing' : doubtful(session);
  }
}

function readConnected(
  session: Session,
  event: BrokerEvent & { type: 'connected' },
  expirySeconds: Seconds | undefined,
  ports: LifeCyclePorts,
): Step {
  const { pair, ipAddress, at } = event;
  if (samePair(session.pair, pair)) return 'nothing';
  // The front door tells what becomes of its attempts; the broker's word is needed only where it fell silent.
  if (session.witness === 'door') return 'nothing';
  const told: Confirmation = { at, expirySeconds, pair, ...(ipAddress === undefined ? {} : { ipAddress }) };
  if (isClosed(session, pair)) return doubtful(session);
  // Rule 4: counted again from its tombstone, over the limit if need be.
  if (session.holding === 'freed') return { next: recountSession(session, ports.random.place(), told, ports.policy) };
  if (session.leaseUntil !== undefined) return { next: confirmSession(session, told, ports.policy) };
  if (session.holding === 'connected' && session.pair === undefined) return { next: { ...session, pair } };
  // Neither the connection known nor one admitted since: late, or its admission's other events were lost.
  return 'ask the broker';
}

/** The lease is brought forward, no further than a CONNECT may take that is still on its way to the broker. */
function doubtful(session: Session): Step {
  const next = hastenLease(session, seconds(connectGraceSeconds));
  return next === session ? 'nothing' : { next };
}

function readDisconnected(
  session: Session,
  event: BrokerEvent & { type: 'disconnected' },
  doorSilent: boolean,
  now: Ms,
): Step {
  const { pair, reason } = event;
  const ending: Ending = { at: event.at, expirySeconds: session.expirySeconds };
  if (session.holding === 'freed' || session.holding === 'retained') {
    if (session.leaseUntil === undefined && session.witness === 'door') return 'nothing';
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  }
  if (session.witness === 'door') {
    // The front door reports the end by itself, and more exactly. If it has died, the broker is asked in the end.
    if (session.leaseUntil !== undefined) return 'nothing';
    return doorSilent ? 'ask the broker' : 'later';
  }
  const mine = samePair(session.pair, pair);
  // Rule 2: while an attempt is pending, nothing frees.
  if (session.leaseUntil !== undefined) {
    if (isClosed(session, pair)) return 'nothing';
    return { next: mine ? noteEnding(session, ending, pair) : closePair(session, pair) };
  }
  if (!mine && session.pair !== undefined)
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  // Rule 3, and only if no other attempt's events can have been taken for this one's.
  if (!mine || session.overlap || reason === 'DUPLICATE_CLIENTID') return 'ask the broker';
  const next = endSession(session, ending, now);
  // It came and went before the broker could be asked for its expiry; what the broker kept of it, it can still tell.
  return session.expiryTold === true ? { next } : { orElse: next };
}
