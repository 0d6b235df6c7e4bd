// Every exception that the model makes, in one place, with its reason. What is not here is a violation.

import type { Place } from '../../shared/domain/ids.ts';
import { pendingOf, type Session } from '../../shared/domain/session/record.ts';
import type { RealSession } from './broker-oracle.ts';
import { skewMaxMs } from './run-config.ts';
import type { World } from './world.ts';

/** Who is let in without a count takes a client id without asking whose it is: then two usernames may count for it. */
export function takesUnasked({ config }: World): boolean {
  return config.admits;
}

/** Real, and need not be counted (I1b). */
export function excuseUncounted(world: World, real: RealSession): string | undefined {
  // Its lease ran out and the broker said, truthfully, that there was nothing: freed with proof, connected later. IoT
  // Core and the front door's tickets end a CONNECT after 10 s, so this needs a broker that breaks its own bounds. Its
  // `connected` counts it again (rule 4), over the limit if need be.
  if (world.lateAttempts.has(real.tag.attempt)) return 'reached the broker after its lease';
  // Let in while the database did not answer: counted as soon as the queue's message of it has been applied (S17).
  const waits = ({ body }: { readonly body: string }): boolean =>
    body.includes('"type":"admitted"') && body.includes(`"attempt":"${real.tag.attempt}"`);
  if (real.tag.uncounted && world.queue.messages.some(waits)) return 'not counted yet';
  // Straight to the broker, two usernames on one client id at the same time, one of them let in without a count: an event
  // names neither, and the one that is counted first may be taken for the other.
  if (world.config.admits && real.tag.witness === 'broker' && world.isContested(real)) return 'nobody saw the other';
  // A process whose clock is ahead takes it for expired so much too early.
  if (world.config.skew && world.oracle.endsWithin(real, 2 * skewMaxMs)) return 'clocks differ';
  // DISCONNECT asked for a longer expiry than CONNECT had, and nobody has heard of it yet: until then the session counts
  // with what it was admitted with, which is shorter only where the message is later than that.
  const { disconnectedAt, expirySeconds, tag } = real;
  const unheard = world.queue.messages.some(({ body }) => body.includes(`"attempt":"${tag.attempt}"`));
  if (disconnectedAt !== undefined && expirySeconds > real.askedExpirySeconds && unheard) {
    return 'its longer expiry is not heard';
  }
  return undefined;
}

/** Real and counted, and not to be held against the limit (I1b). */
export function excuseOverLimit(world: World, session: Session | undefined): string | undefined {
  // Counted again over the limit, because its CONNECT came after its lease; whoever reconnects to it is free (S3).
  return world.config.lateDials && session?.recounted === true
    ? 'counted again after a CONNECT that came too late'
    : undefined;
}

/** Counted at quiet, and not real (I2 against the broker). Never needed for I2 against the table. */
export function excuseCounted(world: World, session: Session): string | undefined {
  // A lost `disconnected`: counted until the connection's upper bound, or until reconciling finds it (S13).
  if (world.config.drops) return 'an event was lost';
  // The client id has been taken by another username while somebody was on the way to the broker, who does not tell
  // usernames: both count for as long as one of them is there (S9 counts both until the end of one is proven).
  const exists = world.oracle.find(session.deploymentId, session.clientId) !== undefined;
  if (takesUnasked(world) && exists && world.isContested(session)) {
    return 'the broker does not say whose connection it is';
  }
  // Two usernames connected with one client id within two seconds, and no clock says who threw whom out: what the older
  // one may have left behind counts for its expiry.
  if (takesUnasked(world) && session.phase.kind === 'retained' && world.oracle.wasThrownOutAtOnce(session)) {
    return 'the order of two connections is not known';
  }
  if (isAnybodys(world, session)) return 'the broker does not say whose session it keeps';
  // A kick or a takeover died when the broker had ended the connection and the tombstone was not written yet: what is told
  // of the end retains it, for its expiry at most.
  if (session.phase.kind === 'retained' && world.isHalfKicked(session)) return 'a kick died';
  // Its events came more than an hour late (a replayed dead-letter queue), when the broker's word is all there is, and the
  // broker does not tell usernames: what another one has there counts for both, at most until the upper bound.
  if (takesUnasked(world) && world.heardLate(session)) return 'heard too late';
  // A CONNECT that came after its lease was counted again while its client id went to another username, who saw only
  // the tombstone: it counts until its upper bound, for the same reason.
  if (world.config.lateDials && world.oracle.find(session.deploymentId, session.clientId) !== undefined) {
    return 'came too late, and its client id went to another';
  }
  // Straight to the broker nothing tells that a client's expiry is shorter than the deployment's, once it has gone
  // before the broker could be asked: the deployment's stands in (S10).
  if (session.attempts[0].source === 'broker' && session.phase.kind === 'retained')
    return "the deployment's expiry stands in";
  return undefined;
}

/** Counted otherwise after everything has been delivered once more (I5). */
export function excuseRepeated(world: World, session: Session): string | undefined {
  // A kick or a takeover died, so it is retained and not there: a message that has the broker asked frees it.
  if (session.phase.kind === 'retained' && world.isHalfKicked(session)) return 'a kick died';
  // Two usernames asked for one client id at about the same time, one of them let in without a count: its events had come
  // before there was a record to read them by, and nobody knew whose the others were. Then any event may tell.
  return world.config.admits && world.isContested(session) ? 'its events came before it was known' : undefined;
}

/**
 * A client let in without a count took the client id of another username, and has gone and left a session, which the
 * broker was asked about before the message of the newcomer came: it tells neither whose a session is that it keeps nor
 * when its connection began. Counted for both, for its expiry at most.
 */
export function isAnybodys(
  world: World,
  { deploymentId, clientId }: Pick<Session, 'deploymentId' | 'clientId'>,
): boolean {
  const real = world.oracle.find(deploymentId, clientId);
  if (!world.config.admits || real === undefined || real.connection !== undefined) return false;
  const all = [...world.view.sessions.values()].filter(
    (session) => session.deploymentId === deploymentId && session.clientId === clientId,
  );
  return all.length > 1 && all.some(({ attempts }) => attempts.some(({ uncounted }) => uncounted === true));
}

/** Records of other usernames with the same client id. */
function othersOf(world: World, session: Session): Session[] {
  return [...world.view.sessions.values()].filter(
    ({ deploymentId, clientId, username }) =>
      deploymentId === session.deploymentId && clientId === session.clientId && username !== session.username,
  );
}

/** Not settled after one lease and one sweep, but after two. */
export function excuseOnce(world: World, session: Session): string | undefined {
  // Two usernames met on one client id, and the broker does not tell usernames: the lease of one waits for the other's.
  return othersOf(world, session).length > 0 && pendingOf(session)?.until !== undefined
    ? 'one lease waits for the other'
    : undefined;
}

/** Counted without asking the limit (S3, rule 4, I2): the safe side, but never without a reason. */
export function excuseForced(world: World, session: Session | undefined, place: Place): string | undefined {
  const { faults, drops, lateDials } = world.config;
  if (faults !== 'none') return 'a process died or a request failed before';
  if (drops) return 'an event was lost before';
  if (lateDials) return 'a CONNECT reached the broker after its lease';
  // A process whose clock is ahead took a retained session for expired, and another, which asks the broker, does not.
  const left = session === undefined ? Number.POSITIVE_INFINITY : session.countsUntil - world.clock.now();
  if (world.config.skew && session?.phase.kind === 'retained' && left <= 2 * skewMaxMs) return 'clocks differ';
  // Two handlers on one session: it was freed between the one's look and its write. Whoever counts looks again after
  // it, and takes the place out with its next request.
  // The client may have begun another life since then, so that no record names the place any more.
  const isOver = session?.phase.kind === 'ended' || (session === undefined && world.pastPlaces.has(place));
  return isOver ? 'for a moment' : undefined;
}
