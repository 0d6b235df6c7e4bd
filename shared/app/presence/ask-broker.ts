// The broker's word on one session. It knows client ids, and neither usernames nor attempts.

import { toBrokerClientId } from '../../domain/ids.ts';
import { connectGraceSeconds, lateConnectSeconds } from '../../domain/session/bounds.ts';
import { isLive, type Session } from '../../domain/session/record.ts';
import { isFromBefore, isSameConnection, mayBeIts, strangeUntil } from '../../domain/session/whose.ts';
import type { Ms } from '../../domain/time.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import { readOtherHolder } from '../common/other-holder.ts';
import type { LifeCyclePorts, Over } from './step.ts';

/** `strange`: what the broker has there is too late for any admission that is known, and lives until then at most. */
export type Heard = BrokerSays | { readonly kind: 'strange'; readonly until: Ms };

/**
 * What the broker says of a session whose connection is known to be over. That it has the very connection still is old
 * news. A session that its client has given up, and that the broker keeps nevertheless, is ended there: that it has been
 * ended is the proof that less is kept than was granted (S10).
 */
export async function hearAfterEnd(
  { broker, store }: Pick<LifeCyclePorts, 'broker' | 'store'>,
  session: Session,
  says: Heard,
  { endsSession }: Over,
): Promise<Heard> {
  if (says.kind === 'connected' && isSameConnection(session, says.since)) return { kind: 'unknown' };
  if (says.kind !== 'retained' || !endsSession) return says;
  const { deploymentId, clientId, username } = session;
  const owner = await store.readOwner(deploymentId, clientId);
  if (owner?.value.username !== username) return says;
  const ended = await broker.deleteConnection(toBrokerClientId(deploymentId, clientId), { cleanSession: true });
  return ended === 'unknown' ? says : { kind: 'absent' };
}

/**
 * The broker knows client ids, not usernames: of an id that may be another's too it is asked whose the connection can be
 * that it tells of, by the times at which each of them may have connected.
 */
export async function askBroker(
  ports: Pick<LifeCyclePorts, 'store' | 'broker' | 'clock' | 'policy'>,
  session: Session,
  since?: Ms,
): Promise<Heard> {
  const { store } = ports;
  const { deploymentId, clientId } = session;
  const id = toBrokerClientId(deploymentId, clientId);
  const says = await ports.broker.getConnection(id);
  if (says.kind === 'absent' || says.kind === 'unknown') return says;
  const owner = (await readOtherHolder(store, session)).record?.value;
  if (owner === undefined) {
    if (isFromBefore(session, says)) return { kind: 'absent' };
    const until = strangeUntil(session, says, ports.policy, since);
    return until === undefined ? says : { kind: 'strange', until };
  }
  // Whoever took the client id over ended what was there first, so an attempt that nobody has confirmed never came to hold
  // it; but one of the two may have been let in without asking (S17).
  if (session.phase.kind === 'new' && !session.recounted) {
    if (!owner.attempts.some(({ uncounted }) => uncounted === true) || !(await store.holds(session)))
      return { kind: 'absent' };
  }
  const told = { ...says, askedAt: ports.clock.now() };
  const mine = mayBeIts(session, told);
  // Whose session is over makes no claim where somebody else's fits, be it that it came late.
  const within = session.phase.kind === 'ended' ? lateConnectSeconds : connectGraceSeconds;
  const theirs = isLive(owner, told.askedAt) && mayBeIts(owner, told, within);
  if (theirs) return { kind: mine && session.phase.kind !== 'ended' ? 'unknown' : 'absent' };
  if (mine) {
    // Both are over: the other one may have been there at the answer, and have ended before its record was read.
    const isOver = session.phase.kind === 'ended' && owner.phase.kind === 'ended';
    return isOver && mayBeIts(owner, told, within) ? ports.broker.getConnection(id) : says;
  }
  return { kind: session.phase.kind === 'ended' ? 'absent' : 'unknown' };
}
