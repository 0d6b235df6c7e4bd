// The broker's word on one session. It knows client ids, and neither usernames nor attempts.

import { toBrokerClientId } from '../../domain/ids.ts';
import { connectGraceSeconds, lateConnectSeconds } from '../../domain/session/bounds.ts';
import { isLive, type Session } from '../../domain/session/record.ts';
import { isFromBefore, isSameConnection, mayBeIts, strangeUntil } from '../../domain/session/whose.ts';
import type { Ms } from '../../domain/time.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import { readOtherHolder } from '../common/other-holder.ts';
import type { LifeCyclePorts, Over } from './step.ts';

/** `strange`: the broker's connection or session is too late for any known admission, and lives until then at most. */
export type Heard = BrokerSays | { readonly kind: 'strange'; readonly until: Ms };

/**
 * Reads the broker's answer about a session whose connection is over. An answer that names that very connection is out of
 * date. `endsSession`: the client asked for expiry 0, so a session that the broker still keeps is ended there. That end
 * proves that the broker keeps less than it granted (S10).
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
  // Without an answer the session may be there or not, so the lease asks again.
  return { kind: ended === 'unknown' ? 'unknown' : 'absent' };
}

/**
 * Asks the broker about a session. The broker knows client ids, not usernames. Where another username holds the client id
 * now, the times of both records tell whose connection the answer is about (rule 9 of ARCHITECTURE.md). `since`: when the
 * connection that is asked about was made.
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
  // A takeover ends what is there first, so an unconfirmed attempt never held the client id. The exception is a client that
  // was let in without a look at the owner (S17).
  if (session.phase.kind === 'new' && !session.recounted) {
    if (!owner.attempts.some(({ uncounted }) => uncounted === true) || !(await store.holds(session)))
      return { kind: 'absent' };
  }
  const told = { ...says, askedAt: ports.clock.now() };
  const mine = mayBeIts(session, told);
  // A freed session makes no claim on a connection that the other username may have made, even by a late CONNECT.
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
