// The latest times at which something can happen: a CONNECT on its way, a connection, an event. Clocks of two machines
// differ, so each bound is on the side that counts for longer.

import { addSeconds, type Ms, type Seconds, seconds } from '../time.ts';
import { haveAllArrived } from './attempts.ts';
import { disconnectedAtOf, type Made, madeOf, type Policy, pendingOf, type Session } from './record.ts';

/** A CONNECT reaches the broker at most this long after its admission: the authorizer's 5 s, or a ticket's 10. */
export const connectGraceSeconds = seconds(10);

/** The clocks of two machines differ by at most this. */
export const clockSkewSeconds = 3;

/**
 * The latest a connection made by an attempt of `at` can count, whatever is lost (S13). The broker's day begins when the
 * CONNECT reaches it, by its own clock, not when it was admitted.
 */
export function upperBound(at: Ms, expirySeconds: Seconds, policy: Policy): Ms {
  return addSeconds(addSeconds(arrivedBy(at), policy.maxConnectionSeconds), expirySeconds);
}

/** A CONNECT admitted at `at` has reached the broker by then, or never will, by the clock of any machine. */
export function arrivedBy(at: Ms): Ms {
  return addSeconds(at, seconds(connectGraceSeconds + clockSkewSeconds));
}

/**
 * An attempt may still be on its way to the broker, so an answer of `absent` proves nothing yet. The latest of overlapping
 * attempts was admitted last, so all of them have arrived by the time that holds for it.
 */
export function isOnItsWay(session: Session, now: Ms): boolean {
  if (haveAllArrived(session)) return false;
  const pending = pendingOf(session);
  if (pending !== undefined && pending.until > now) return true;
  return session.ambiguity !== 'none' && arrivedBy(session.attempts[0].admittedAt) > now;
}

/** The connection that is known was made later than `at`, by any clock: the broker has ended what was there then. */
export function connectedSince(session: Session, at: Ms): boolean {
  const made = madeOf(session);
  const marginMs = Math.max(toleranceMs(made), clockSkewSeconds * 1_000);
  return made !== undefined && at + marginMs < made.at;
}

/** The retained session's connection ended later than `at`, by any clock. */
export function endedSince(session: Session, at: Ms): boolean {
  const disconnectedAt = disconnectedAtOf(session);
  return disconnectedAt !== undefined && addSeconds(at, seconds(clockSkewSeconds)) < disconnectedAt;
}

/** How far `made` may be off: the front door's and the broker's clocks differ by less; an event's timestamp by minutes. */
export function toleranceMs(made: Made | undefined): number {
  return made?.unsure === true ? 150_000 : 2_000;
}

/** No broker keeps a CONNECT waiting for longer. */
export const lateConnectSeconds = seconds(150);

/** Events this old are settled by asking the broker only: a replayed dead-letter queue. */
export const staleEventSeconds = seconds(3_600);
