// Compares an answer of the broker about a client id with a known session, by the times of both: can the answer be about
// that session? The broker tells neither usernames nor attempts.

import { addSeconds, type Ms, type Seconds, seconds } from '../time.ts';
import { clockSkewSeconds, connectGraceSeconds, lateConnectSeconds, toleranceMs, upperBound } from './bounds.ts';
import { type BrokerTells, disconnectedAtOf, madeOf, type Policy, pendingOf, type Session } from './record.ts';

/**
 * The broker's connection was made before the only attempt was admitted. The attempt has not reached the broker, since it
 * would have replaced that connection.
 */
export function isFromBefore({ phase, ambiguity, attempts }: Session, says: BrokerTells): boolean {
  if (phase.kind !== 'new' || ambiguity !== 'none' || says.kind !== 'connected' || says.since === undefined)
    return false;
  return addSeconds(says.since, seconds(clockSkewSeconds)) < attempts[0].admittedAt;
}

/**
 * How long the broker's connection or session may live, if it is too late for any known admission of this client id.
 * Otherwise undefined. A client was let in without a count then, of this username or of another, and its message is still
 * to come (S17). `connectedAt`: when the connection that is asked about was made, where that is known.
 */
export function strangeUntil(
  session: Session,
  says: BrokerTells & { readonly expirySeconds?: Seconds },
  policy: Policy,
  connectedAt?: Ms,
): Ms | undefined {
  const latest =
    connectedAt === undefined
      ? addSeconds(session.attempts[0].admittedAt, lateConnectSeconds)
      : addSeconds(connectedAt, seconds(clockSkewSeconds));
  const { expirySeconds = session.expirySeconds } = says;
  if (says.kind === 'connected')
    return says.since !== undefined && says.since > latest ? upperBound(says.since, expirySeconds, policy) : undefined;
  const at = says.disconnectedAt;
  const isLate = at !== undefined && at > addSeconds(latest, policy.maxConnectionSeconds);
  return isLate ? addSeconds(at, expirySeconds) : undefined;
}

/** The broker forgets the time of a disconnect after this [AWS: GetConnection]. */
const forgetDisconnectSeconds = seconds(1_800);

/**
 * The broker's answer can be about this session, by the times in its record. `within`: how long after its admission a
 * CONNECT may have reached the broker.
 */
export function mayBeIts(session: Session, says: BrokerTells, within: Seconds = connectGraceSeconds): boolean {
  const made = madeOf(session);
  const tolerance = toleranceMs(made);
  const connectedAt = made?.at;
  const disconnectedAt = disconnectedAtOf(session);
  const { kind } = session.phase;
  const isAmbiguous = session.ambiguity !== 'none';
  const [{ admittedAt }] = session.attempts;
  const pending = pendingOf(session) !== undefined;
  // A CONNECT that came after its lease was over, at most so much later.
  const isNear = (time: Ms): boolean => Math.abs(time - admittedAt) <= lateConnectSeconds * 1_000;
  if (says.kind === 'connected') {
    const { since } = says;
    if (since === undefined) return true;
    if (kind === 'ended') return isNear(since);
    const arrived = addSeconds(admittedAt, within) + tolerance;
    if (isAmbiguous) return since >= (connectedAt ?? 0) - tolerance && since <= arrived;
    if (pending && since >= admittedAt - tolerance && since <= arrived) return true;
    if (kind === 'new') return false;
    if (connectedAt !== undefined) return Math.abs(since - connectedAt) <= tolerance;
    return since <= arrived && (disconnectedAt === undefined || since <= disconnectedAt + tolerance);
  }
  if (says.disconnectedAt === undefined)
    return kind !== 'new' || addSeconds(admittedAt, forgetDisconnectSeconds) <= (says.askedAt ?? 0);
  const at = says.disconnectedAt;
  if (kind === 'ended') return isNear(at);
  if (isAmbiguous || kind === 'connected') return at >= (connectedAt ?? 0) - tolerance;
  if (pending && at >= admittedAt - tolerance) return true;
  if (kind === 'new') return false;
  return disconnectedAt === undefined || Math.abs(at - disconnectedAt) <= tolerance;
}

/** The broker's connection is the one in the record. True also where either time is unknown. */
export function isSameConnection(session: Session, since: Ms | undefined): boolean {
  const made = madeOf(session);
  if (since === undefined || made === undefined) return true;
  return Math.abs(since - made.at) <= toleranceMs(made);
}
