// Sessions of a wide roster that are counted by a number. A lane that held the place of each of its sessions would grow with
// them, and a write costs its whole size; so a session that is known to stay is folded: its place leaves the lane, and its
// record says that the lane's number counts it.

import { isWide, laneOf } from '../../../domain/place.ts';
import { pendingOf, type Session } from '../../../domain/session/record.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { PutOutcome, Stored } from '../../../ports/presence/sessions.ts';
import { sessionKey } from '../common/keys.ts';
import { transact } from '../common/transaction.ts';
import { decodeSession, encodeSession } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { LaneWrites } from './lanes.ts';

/** How often a lane may be closed again by others before a folded session in it is freed. */
const unfoldTries = 8;

export function createFolding(table: Table, lanes: LaneWrites, random: Random) {
  const { tableName } = table;

  /**
   * A folded session's end and its count are one step, because nothing else would tell that it has been uncounted: the
   * session's revision does (I5), so whoever comes second is refused. Dying after it leaves nothing to do.
   */
  async function putUnfolded(
    session: Session,
    expected: Stored<Session>,
  ): Promise<PutOutcome<Session> & { uncounted?: true }> {
    const { deploymentId, username, clientId } = session;
    const revision = random.revision();
    const item = { ...encodeSession(session, revision), ...sessionKey(deploymentId, username, clientId) };
    const put = {
      Put: {
        TableName: tableName,
        Item: item,
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': expected.revision },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      },
    };
    const { place } = expected.value;
    const also = lanes.dropped.beside(deploymentId, username, place);
    for (let tries = 0; tries < unfoldTries; tries++) {
      const outcome = await lanes.dropped.sending(deploymentId, username, also, () =>
        transact(table, [put, lanes.uncountFolded(deploymentId, username, place, also)]),
      );
      if (outcome.kind === 'done') {
        lanes.dropped.forget(deploymentId, username, [place, ...also]);
        return { kind: 'done', value: session, revision, uncounted: true };
      }
      if (outcome.at.includes(0)) {
        const current = outcome.items.get(0);
        return { kind: 'changed', current: current === undefined ? undefined : decodeSession(current) };
      }
      // The lane was closed: it has to be looked for before it may gather what is freed.
      if (laneOf(place) > 0) await lanes.list(deploymentId, username, laneOf(place));
    }
    throw contended('others kept closing this lane');
  }

  /**
   * A confirmed session in a wide roster whose place is in it, with many others: a number is enough to count it from now
   * on. The place stays in while the session is not freed, and then the record is another one; so what was read here
   * holds when the record is written, or the write is refused.
   */
  async function mayFold(next: Session, before: Session | undefined): Promise<boolean> {
    const { deploymentId, username, place } = next;
    if (!isWide(place) || next.folded === true || place !== before?.place) return false;
    const { kind } = next.phase;
    if (pendingOf(next) !== undefined || (kind !== 'connected' && kind !== 'retained')) return false;
    const places = await lanes.readPlaces(deploymentId, username, laneOf(place));
    return places.has(place) && lanes.isCrowded(place, places);
  }

  return { putUnfolded, mayFold };
}
