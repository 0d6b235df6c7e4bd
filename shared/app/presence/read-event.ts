// The rules for the broker's events. Pure. Events name neither username nor attempt, come twice, late and out of order, and
// their timestamps order nothing. Rules 1 to 7 are in ARCHITECTURE.md, "How events are read".

import { sessionExpirySecondsMax } from '../../config/constants.ts';
import { hastenLease } from '../../domain/session/attempt.ts';
import { endedSince, lateConnectSeconds, staleEventSeconds } from '../../domain/session/bounds.ts';
import {
  awaitProof,
  closePair,
  confirmSession,
  endSession,
  noteEnding,
  outlive,
} from '../../domain/session/outcome.ts';
import {
  type Ending,
  isClosed,
  type Policy,
  pairOf,
  pendingOf,
  type Session,
  samePair,
  withPending,
} from '../../domain/session/record.ts';
import { type ActionOf, cellOf, events } from '../../domain/session/table.ts';
import { strangeUntil } from '../../domain/session/whose.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import type { BrokerEvent } from './broker-event.ts';
import type { LifeCyclePorts, Step } from './step.ts';

interface Aside {
  /** The broker's answer about a `connected`, where it was asked. */
  readonly truth: (BrokerSays & { readonly kind: 'connected' }) | undefined;
  /** The front door has had its time to report the end. */
  readonly doorSilent: boolean;
}

interface Given<Event extends BrokerEvent = BrokerEvent> {
  readonly session: Session;
  readonly event: Event;
  readonly aside: Aside;
  readonly policy: Policy;
  readonly now: Ms;
}

export function readEvent(
  session: Session,
  event: BrokerEvent,
  aside: Aside,
  { policy }: Pick<LifeCyclePorts, 'policy'>,
  now: Ms,
): Step {
  const given = { session, event, aside, policy, now };
  return actions[cellOf(events, eventRow(given), session)](given);
}

export function eventRow(given: Given): keyof typeof events {
  const { session, event, now } = given;
  const isPending = pendingOf(session) !== undefined;
  const isOver = event.type !== 'connect_failed' && isClosed(session, event.pair);
  // A repetition: the pair is closed, and no attempt is pending that the event could be taken for.
  if (isOver && !isPending) return 'of a pair that is over';
  // Rule 5: a replayed dead-letter queue is settled by asking the broker only.
  if (addSeconds(event.at, staleEventSeconds) < now)
    return event.type === 'connected' ? 'connected, older than an hour' : 'another, older than an hour';
  const isFrontDoors = session.attempts[0].source === 'door';
  switch (event.type) {
    case 'connected':
      if (isSame(session, event)) return 'connected, known';
      if (isOver) return isFrontDoors ? 'of a pair that is over' : 'connected, a pair that is over';
      if (isFrontDoors)
        return session.ambiguity === 'none' ? 'connected, front door' : 'connected, front door, overlapped';
      return isCertain({ ...given, event }) ? 'connected' : 'connected, perhaps another';
    case 'disconnected':
      if (isOver) return 'of a pair that is over';
      // A pair that the record knows is of a connection straight to the broker: the front door tells nothing of its end.
      if (isFrontDoors && !isSame(session, event))
        return given.aside.doorSilent ? 'disconnected, front door is silent' : 'disconnected, front door';
      return disconnectedRow(session, event);
    case 'connect_failed':
      // Rule 6: it has no pair, and a stranger can provoke it. It brings the check of the lease forward and frees nothing.
      return isFrontDoors ? 'connect_failed, front door' : 'connect_failed';
  }
}

type Connected = BrokerEvent & { readonly type: 'connected' };
type Disconnected = BrokerEvent & { readonly type: 'disconnected' };

const isSame = (session: Session, { pair }: Connected | Disconnected): boolean => samePair(pairOf(session), pair);

function disconnectedRow(session: Session, event: Disconnected): keyof typeof events {
  const isOverlapped = session.ambiguity !== 'none';
  if (isSame(session, event)) {
    if (isOverlapped) return 'disconnected, its connection, overlapped';
    // The broker closed it for another connection that the record does not know.
    const isThrownOut = event.reason === 'DUPLICATE_CLIENTID';
    return isThrownOut ? 'disconnected, thrown out by another' : 'disconnected, its connection';
  }
  const mayBeIts = isOverlapped || pairOf(session) === undefined;
  return mayBeIts ? 'disconnected, perhaps its connection' : 'disconnected, another';
}

/** The event is of the latest attempt for certain. Otherwise only the broker's answer confirms. */
function isCertain({ session, event, aside: { truth }, policy }: Given<Connected>): boolean {
  if (session.ambiguity !== 'none') return false;
  const [{ admittedAt, uncounted }] = session.attempts;
  // An uncounted attempt's end may have been told before.
  if (uncounted === true) return false;
  // A connection from long before the admission is another client's, which was let in without a count.
  if (addSeconds(event.at, lateConnectSeconds) < admittedAt) return false;
  return truth === undefined || strangeUntil(session, truth, policy) === undefined;
}

const actions: Readonly<Record<ActionOf<typeof events>, (given: Given) => Step>> = {
  '–': () => 'nothing',
  '·': () => 'ask the broker',
  wait: () => 'later',
  ask: () => 'ask the broker',
  'ask of then': ({ event }) => ({ since: event.at }),
  'ask if later': ({ session, event }) => (endedSince(session, event.at) ? 'nothing' : 'ask the broker'),
  'ask, close': ({ session, event }) => ({ knowing: closed(session, event) }),
  'ask, count': (given) => ({ knowing: outlive(closed(given.session, given.event), endOf(given)) }),
  confirm: ({ session, event, aside: { truth }, policy }) => {
    if (event.type !== 'connected') return 'nothing';
    const { pair, ipAddress } = event;
    const told = {
      ...(truth?.since === undefined ? { at: event.at, unsure: true as const } : { at: truth.since }),
      expirySeconds: truth?.expirySeconds,
      pair,
      ...(ipAddress === undefined ? {} : { ipAddress }),
    };
    return { next: confirmSession(session, told, policy) };
  },
  'learn pair': ({ session, event }) => {
    const { phase } = session;
    // The connection is neither the known one nor one admitted since: the event is late, or others were lost.
    if (event.type !== 'connected' || phase.kind !== 'connected' || phase.pair !== undefined) return 'ask the broker';
    return { next: { ...session, phase: { ...phase, pair: event.pair } } };
  },
  end: (given) => {
    const ending = endOf(given);
    // Rule 3: the pair is the confirmed one, and no attempts have overlapped.
    if (ending.unproven !== true) return { next: endSession(given.session, ending, given.now) };
    return { knowing: awaitProof(closed(given.session, given.event), ending) };
  },
  // Rule 2: while an attempt is pending, nothing frees.
  'note end': (given) => ({ next: noteEnding(given.session, endOf(given), pairOfEvent(given.event)) }),
  'hear end': ({ session, event }) => {
    const pending = pendingOf(session);
    return pending === undefined
      ? 'nothing'
      : { next: closed(withPending(session, { ...pending, endHeard: true }), event) };
  },
  close: ({ session, event }) => ({ next: closed(session, event) }),
  // No further than a CONNECT may take that is still on its way to the broker.
  hasten: ({ session }) => {
    const next = hastenLease(session);
    return next === session ? 'nothing' : { next };
  },
  // Invariant: a connection that came over a retained session counts beyond the expiry of that session.
  // Race: a question asked before the connection was made is asked again, because the record is written.
  // On crash: the event comes again.
  rewrite: ({ session }) => ({ next: session }),
};

const pairOfEvent = (event: BrokerEvent) => (event.type === 'connect_failed' ? undefined : event.pair);

function closed(session: Session, event: BrokerEvent): Session {
  return event.type === 'connect_failed' ? session : closePair(session, event.pair);
}

/** A DISCONNECT may have made the expiry longer, and no event tells that; one that was 0 stays 0 [MQTT-3.14.2-2]. */
function endOf({ session, event: { at } }: Given): Ending {
  const { expirySeconds, expiryTold, ambiguity } = session;
  const keepsNothing = expiryTold === true && expirySeconds === 0 && ambiguity === 'none';
  return keepsNothing ? { at, expirySeconds } : { at, expirySeconds: seconds(sessionExpirySecondsMax), unproven: true };
}
