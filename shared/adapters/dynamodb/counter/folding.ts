// Sessions of a wide roster that are counted by a number. A lane that held the place of each of its sessions would grow with
// them, and a write costs its whole size. So a session that is known to stay is folded: its record says in the form of its
// place that the lane's number counts it, and the place may leave the lane. Nobody outside of this folder knows: the store
// decides it in the write of the record.
//
// At every moment either the place or the record says so, so the place may stay in the lane for a while: it costs some bytes.
// What a process leaves there that dies goes with its own session's end, or with a recount.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { folded, isFolded, isSamePlace, isWide, laneOf, unfolded } from '../../../domain/place.ts';
import { settleSession } from '../../../domain/session/outcome.ts';
import { pendingOf, type Session } from '../../../domain/session/record.ts';
import { contended } from '../../../ports/common/errors.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { PutOutcome, Sessions, Stored } from '../../../ports/presence/sessions.ts';
import { type Key, laneKey, sessionKey } from '../common/keys.ts';
import { replace } from '../common/replace.ts';
import { transact, type Writes } from '../common/transaction.ts';
import { decodeSession, encodeSession } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { createDroppedPlaces } from './dropped-places.ts';
import type { Gathering } from './gathering.ts';
import type { LaneItems, RosterLayout } from './lane-items.ts';
import { storedPlaces } from './place-set.ts';

/** How often a lane may be closed again by others before a folded session in it is freed. */
const unfoldTries = 8;

export type Folding = ReturnType<typeof createFolding>;

export function createFolding(table: Table, { items, gathering, layout, random }: FoldingParts) {
  const { tableName } = table;
  const dropped = createDroppedPlaces();
  const partKey = (id: DeploymentId, username: Username, lane: number): Key =>
    lane === 0 ? items.rosterKey(id, username) : laneKey(id, username, lane);

  /** Writes a session's record, and folds it or writes it off with it. */
  const putSession: Sessions['putSession'] = async (session, expected) => {
    if (expected !== undefined && isFolded(expected.value.place) && session.phase.kind === 'ended')
      return putUnfolded(session, expected);
    const folds = await mayFold(session, expected?.value);
    const value = folds ? { ...session, place: folded(session.place) } : session;
    const revision = random.revision();
    const item = itemOf(value, revision);
    const put = await replace(table, value, item, revision, expected, decodeSession);
    if (put.kind === 'done' && folds) await dropPlace(session.deploymentId, session.username, session.place);
    return put;
  };

  /**
   * A confirmed session in a wide roster whose place is in it, with many others: a number is enough to count it from now
   * on. The place stays in while the session is not freed, and then the record is another one; so what was read here
   * holds when the record is written, or the write is refused.
   */
  async function mayFold(next: Session, before: Session | undefined): Promise<boolean> {
    const { deploymentId, username, place } = next;
    if (!isWide(place) || isFolded(place) || before === undefined || !isSamePlace(place, before.place)) return false;
    if (pendingOf(next) !== undefined || (next.phase.kind !== 'connected' && next.phase.kind !== 'retained'))
      return false;
    const lane = laneOf(place);
    const places = await items.readPlaces(deploymentId, username, lane);
    return places.has(place) && places.size >= (lane === 0 ? layout.wideAt : layout.foldAt);
  }

  /**
   * Writes off a folded session that is freed. Its record and the number change in one transaction.
   *
   * Invariant: I2, I3: nothing but the record tells that the number counts it, so neither changes without the other.
   * Race: of two that free it the second finds another revision, and is refused (I5).
   * On crash: nothing is left to do: the tombstone owes nothing.
   */
  async function putUnfolded(
    session: Session,
    expected: Stored<Session>,
  ): Promise<PutOutcome<Session> & { uncounted?: true }> {
    const freed: Session = { ...settleSession(session), place: unfolded(session.place) };
    const { deploymentId, username } = freed;
    const revision = random.revision();
    const put = {
      Put: {
        TableName: tableName,
        Item: itemOf(freed, revision),
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': expected.revision },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      },
    };
    const place = unfolded(expected.value.place);
    const also = dropped.beside(deploymentId, username, place);
    for (let tries = 0; tries < unfoldTries; tries++) {
      const outcome = await dropped.sending(deploymentId, username, also, () =>
        transact(table, [put, uncounting(deploymentId, username, place, also)]),
      );
      if (outcome.kind === 'done') {
        dropped.forget(deploymentId, username, [place, ...also]);
        return { kind: 'done', value: freed, revision, uncounted: true };
      }
      if (outcome.at.includes(0)) {
        const current = outcome.items.get(0);
        return { kind: 'changed', current: current === undefined ? undefined : decodeSession(current) };
      }
      // The lane was closed: it has to be looked for before it may gather what is freed.
      if (laneOf(place) > 0) await gathering.list(deploymentId, username, laneOf(place));
    }
    throw contended('others kept closing this lane');
  }

  /** `also`: places of folded sessions of the same lane. */
  function uncounting(id: DeploymentId, username: Username, place: Place, also: readonly Place[]): Writes[number] {
    const lane = laneOf(place);
    const inLane = lane > 0;
    return {
      Update: {
        TableName: tableName,
        Key: partKey(id, username, lane),
        UpdateExpression: `ADD used :less, ${inLane ? 'room :one, ' : ''}turn :one DELETE places :places`,
        ConditionExpression: `${inLane ? 'listed = :one AND ' : ''}used >= :one`,
        ExpressionAttributeValues: { ':less': -1, ':one': 1, ':places': storedPlaces([place, ...also]) },
      },
    };
  }

  /** Some of a lane go in one write: with the end of another session, or when they are enough. Safe to repeat. */
  async function dropPlace(id: DeploymentId, username: Username, place: Place, atOnce = false): Promise<void> {
    const waiting = dropped.add(id, username, place);
    if (!atOnce && waiting.length < layout.dropAt) return;
    await dropped.sending(id, username, waiting, () =>
      items.update(partKey(id, username, laneOf(place)), {
        UpdateExpression: 'ADD turn :one DELETE places :places',
        ConditionExpression: 'used >= :one',
        ExpressionAttributeValues: { ':one': 1, ':places': storedPlaces(waiting) },
      }),
    );
    dropped.forget(id, username, waiting);
  }

  return {
    putSession,
    /** For whoever finds the place of a folded session in its lane. */
    dropAtOnce: (id: DeploymentId, username: Username, place: Place) => dropPlace(id, username, place, true),
  };
}

interface FoldingParts {
  readonly items: LaneItems;
  readonly gathering: Gathering;
  readonly layout: RosterLayout;
  readonly random: Random;
}

function itemOf(session: Session, revision: string): Record<string, unknown> {
  const { deploymentId, username, clientId } = session;
  return { ...encodeSession(session, revision), ...sessionKey(deploymentId, username, clientId) };
}
