// The rules for the broker's events. Pure.

import { sessionExpirySecondsMax } from '../../config/constants.ts';
import { hastenLease } from '../../domain/session/attempt.ts';
import { endedSince, lateConnectSeconds, staleEventSeconds } from '../../domain/session/bounds.ts';
import {
  awaitProof,
  type Confirmation,
  closePair,
  confirmSession,
  endSession,
  noteEnding,
  outlive,
} from '../../domain/session/outcome.ts';
import { type Ending, isClosed, type Session, samePair } from '../../domain/session/record.ts';
import { strangeUntil } from '../../domain/session/whose.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import type { BrokerEvent } from './broker-event.ts';
import type { LifeCyclePorts, Step } from './step.ts';

interface Aside {
  /** What the broker told when it was asked about a `connected`. */
  readonly truth: (BrokerSays & { readonly kind: 'connected' }) | undefined;
  readonly doorSilent: boolean;
}

export function readEvent(session: Session, event: BrokerEvent, aside: Aside, ports: LifeCyclePorts, now: Ms): Step {
  // Known to be over, and nothing pending that it could be taken for: it comes again.
  if (event.type !== 'connect_failed' && session.leaseUntil === undefined && isClosed(session, event.pair))
    return 'nothing';
  // Rule 5: what is older than an hour (a replayed dead-letter queue) is settled by asking the broker only.
  if (addSeconds(event.at, staleEventSeconds) < now)
    return session.holding === 'freed' && event.type !== 'connected' ? 'nothing' : 'ask the broker';
  switch (event.type) {
    case 'connected':
      return readConnected(session, event, aside, ports);
    case 'disconnected':
      return readDisconnected(session, event, aside, now);
    case 'connect_failed':
      // Rule 6: it has no version, and a stranger can provoke it. The lease is checked at once, nothing is freed on it.
      return session.witness === 'door' ? 'nothing' : doubtful(session);
  }
}

function readConnected(
  session: Session,
  event: BrokerEvent & { type: 'connected' },
  { truth }: Aside,
  ports: LifeCyclePorts,
): Step {
  const { pair, ipAddress } = event;
  if (samePair(session.pair, pair)) return 'nothing';
  if (session.witness === 'door' && session.holding !== 'freed') return readBeside(session, event);
  const told: Confirmation = {
    ...(truth?.since === undefined ? { at: event.at, unsure: true } : { at: truth.since }),
    expirySeconds: truth?.expirySeconds,
    pair,
    ...(ipAddress === undefined ? {} : { ipAddress }),
  };
  if (isClosed(session, pair)) return doubtful(session);
  // Rule 4: counted again from its tombstone, over the limit if need be, if the broker says so too: the event may have
  // come twice, or after its own `disconnected`. The front door's own reports are exact, so only this very connection is
  // of interest behind it.
  if (session.holding === 'freed') return session.witness === 'door' ? { since: event.at } : 'ask the broker';
  if (session.leaseUntil !== undefined) {
    // Or another attempt's? The broker's word confirms then. And of one that was let in without a count the end may have been told before.
    const isCounted = session.knownUncounted?.includes(session.attempt) !== true;
    // Nor is one of long before the admission its own: somebody had the client id who was let in without a count.
    const isOld = addSeconds(event.at, lateConnectSeconds) < session.admittedAt;
    const isSure = !session.overlap && isCounted && !isOld;
    return isSure && (truth === undefined || strangeUntil(session, truth, ports.policy) === undefined)
      ? { next: confirmSession(session, told, ports.policy) }
      : 'ask the broker';
  }
  if (session.holding === 'connected' && session.pair === undefined) return { next: { ...session, pair } };
  // Neither the connection known nor one admitted since: late, or its admission's other events were lost.
  return 'ask the broker';
}

/**
 * The front door tells what becomes of its attempts, so a `connected` of the broker is news only of a client that goes
 * straight to the broker besides.
 *
 * Invariant: a connection that came over a retained session counts beyond the expiry of that session.
 * Race: a question asked before the connection was made is asked again, because the record is written.
 * On crash: the event comes again.
 */
function readBeside(session: Session, { pair, at }: BrokerEvent & { type: 'connected' }): Step {
  if (isClosed(session, pair)) return 'nothing';
  if (session.holding === 'retained' && session.leaseUntil === undefined)
    return endedSince(session, at) ? 'nothing' : 'ask the broker';
  return session.overlap ? { next: session } : 'nothing';
}

/** The lease is brought forward, no further than a CONNECT may take that is still on its way to the broker. */
function doubtful(session: Session): Step {
  const next = hastenLease(session);
  return next === session ? 'nothing' : { next };
}

function readDisconnected(
  session: Session,
  event: BrokerEvent & { type: 'disconnected' },
  { doorSilent }: Aside,
  now: Ms,
): Step {
  const { pair, reason } = event;
  // A DISCONNECT may have made it longer, and no event tells that; an expiry that was 0 stays 0 [MQTT-3.14.2-2].
  const keepsNothing = session.expiryTold === true && session.expirySeconds === 0 && !session.overlap;
  const ending: Ending = keepsNothing
    ? { at: event.at, expirySeconds: session.expirySeconds }
    : { at: event.at, expirySeconds: seconds(sessionExpirySecondsMax), unproven: true };
  if (session.holding === 'freed' || session.holding === 'retained') {
    if (session.leaseUntil === undefined && session.witness === 'door') return 'nothing';
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  }
  if (session.witness === 'door') {
    // The front door reports the end by itself, and more exactly. If it has died, the broker is asked in the end.
    // While an attempt is pending its lease will tell, and asking now would take the door's word from it.
    if (session.leaseUntil !== undefined)
      return isClosed(session, pair) ? 'nothing' : { next: { ...closePair(session, pair), endHeard: true } };
    return doorSilent ? 'ask the broker' : 'later';
  }
  const mine = samePair(session.pair, pair);
  // Rule 2: while an attempt is pending, nothing frees.
  if (session.leaseUntil !== undefined) {
    if (isClosed(session, pair)) return 'nothing';
    return { next: mine ? noteEnding(session, ending, pair) : closePair(session, pair) };
  }
  if (!mine && session.pair !== undefined && !session.overlap)
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  // Rule 3, and only if no other attempt's events can have been taken for this one's.
  if (isClosed(session, pair)) return 'nothing';
  if (!mine || session.overlap) return { knowing: outlive(closePair(session, pair), ending) };
  // Thrown out by a connection that its record does not know.
  if (reason === 'DUPLICATE_CLIENTID') return { knowing: closePair(session, pair) };
  if (keepsNothing) return { next: endSession(session, ending, now) };
  return { knowing: awaitProof(closePair(session, pair), ending) };
}
