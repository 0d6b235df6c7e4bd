// A session as an item and back. Attribute names are short because items are many; what they mean is in Session.

import type { sessionAttributes } from '../../../config/attributes.ts';
import { ttlGraceSeconds } from '../../../config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../../domain/ids.ts';
import { folded, isFolded, laneOf, unfolded } from '../../../domain/place.ts';
import { inFlight, isConfirmed, isOver } from '../../../domain/session/attempts.ts';
import {
  type Attempt,
  type Attempts,
  disconnectedAtOf,
  type Ending,
  endingOf,
  type Made,
  madeOf,
  type Pair,
  type Pending,
  type Phase,
  pendingOf,
  type Session,
  tombstoneUntil,
  type Voucher,
  type Witness,
} from '../../../domain/session/record.ts';
import { addSeconds, type Ms, ms, type Seconds, seconds, toEpochSeconds } from '../../../domain/time.ts';
import type { Stored } from '../../../ports/presence/sessions.ts';
import { duePk, sessionKey, wakePartition } from '../common/keys.ts';
import { placeBytes, placeOf } from '../counter/place-set.ts';

export type Item = Record<string, unknown>;

/** One that is not listed there would be lost in the reconciler's Scan, so it does not compile. */
type SessionAttribute = (typeof sessionAttributes)[number];
type IndexAttribute = 'duePk' | 'dueAt' | 'wakePk' | 'ttl';

type PairItem = { i: string; v: number };
type EndingItem = { at: number; exp: number; unproven?: boolean };

/** One literal without a spread: V8 is some 2 µs slower for each name that comes behind one, and a session has many. */
export function encodeSession(session: Session, revision: string): Record<SessionAttribute | IndexAttribute, unknown> {
  const { deploymentId, username, place, phase, attempts, dueAt, closedPairs } = session;
  const [latest] = attempts;
  const live = phase.kind !== 'ended';
  const pending = pendingOf(session);
  const made = madeOf(session);
  const owes = phase.kind === 'ended' ? phase.uncountPending : undefined;
  const wakeAt = pending?.until ?? owes?.findAt;
  const ending = endingOf(session);
  const pair = phase.kind === 'connected' ? phase.pair : undefined;
  const found = live || owes !== undefined;
  const uncounted = idsOf(attempts.filter((attempt) => attempt.uncounted === true));
  const { pk, sk } = sessionKey(deploymentId, username, session.clientId);
  return {
    pk,
    sk,
    rev: revision,
    place: placeBytes(unfolded(place)),
    attempt: latest.id,
    witness: latest.source,
    holding: live ? phase.kind : 'freed',
    countsUntil: session.countsUntil,
    due: dueAt,
    duePk: found ? duePk(deploymentId, username, laneOf(place)) : undefined,
    dueAt: found ? dueAt : undefined,
    // Something is pending, or a tombstone is not settled yet.
    wakePk: wakeAt === undefined ? undefined : wakePartition(sk),
    wakeAt,
    fallback: pending?.fallbackUntil,
    ended: ending === undefined ? undefined : encodeEnding(ending),
    confirmed: attempts.find(isConfirmed)?.id,
    over: attempts.find(isOver)?.id,
    folded: isFolded(place) || undefined,
    endHeard: pending?.endHeard,
    pair: pair === undefined ? undefined : encodePair(pair),
    closed: closedPairs.length === 0 ? undefined : closedPairs.map(encodePair),
    overlap: session.ambiguity !== 'none' || undefined,
    underway: session.ambiguity === 'inFlightKnown' ? idsOf(inFlight(session)) : undefined,
    exp: session.expirySeconds,
    attemptExp: pending?.expirySeconds,
    told: session.expiryTold,
    recounted: session.recounted || undefined,
    uncounted: uncounted.length === 0 ? undefined : uncounted,
    owes: owes === undefined ? undefined : true,
    signed: session.signedBy,
    admittedAt: latest.admittedAt,
    connectedAt: made?.at,
    unsure: made?.unsure,
    disconnectedAt: disconnectedAtOf(session),
    proto: latest.protocolVersion,
    ip: latest.ipAddress,
    ttl: toEpochSeconds(live ? addSeconds(session.countsUntil, seconds(ttlGraceSeconds)) : tombstoneUntil(session)),
  };
}

/** The oldest first, as they are stored. */
const idsOf = (attempts: readonly Attempt[]): readonly AttemptId[] => attempts.map(({ id }) => id).reverse();

type SessionItem = Partial<Record<SessionAttribute, unknown>>;

export function decodeSession(item: SessionItem): Stored<Session> {
  const { deploymentId, username, clientId } = parseSessionKey(String(item.pk), String(item.sk));
  const place = placeOf(item.place as Uint8Array);
  const value: { -readonly [K in keyof Session]: Session[K] } = {
    deploymentId,
    username,
    clientId,
    place: item.folded === true ? folded(place) : place,
    phase: decodePhase(item),
    attempts: decodeAttempts(item),
    ambiguity: item.overlap !== true ? 'none' : item.underway === undefined ? 'unknown' : 'inFlightKnown',
    countsUntil: ms(item.countsUntil as number),
    dueAt: ms(item.due as number),
    closedPairs: ((item.closed ?? []) as PairItem[]).map(decodePair),
    expirySeconds: seconds(item.exp as number),
    recounted: item.recounted === true,
  };
  // One by one, because spreads are slow.
  if (item.told === true) value.expiryTold = true;
  if (item.signed !== undefined) value.signedBy = item.signed as readonly Voucher[];
  return { value, revision: String(item.rev) };
}

function decodePhase(item: SessionItem): Phase {
  const at = item.connectedAt as Ms | undefined;
  const connected: Made | undefined =
    at === undefined ? undefined : item.unsure === true ? { at, unsure: true } : { at };
  const made = connected === undefined ? {} : { made: connected };
  const disconnectedAt = item.disconnectedAt as Ms | undefined;
  const found = decodePending(item);
  const pending = found === undefined ? {} : { pending: found };
  const ending = item.ended === undefined ? {} : { ending: decodeEnding(item.ended as EndingItem) };
  switch (item.holding) {
    case 'connected':
      return {
        kind: 'connected',
        ...pending,
        made: connected ?? { at: item.admittedAt as Ms },
        ...(item.pair === undefined ? {} : { pair: decodePair(item.pair as PairItem) }),
        ...ending,
      };
    case 'retained':
      return {
        kind: 'retained',
        ...pending,
        ...made,
        disconnectedAt: disconnectedAt ?? (item.admittedAt as Ms),
        ...ending,
      };
    case 'freed': {
      const findAt = found === undefined ? {} : { findAt: found.until };
      const owes = item.owes === true ? { uncountPending: findAt } : {};
      return { kind: 'ended', ...owes, ...made, ...(disconnectedAt === undefined ? {} : { disconnectedAt }) };
    }
    default:
      return { kind: 'new', pending: found ?? { until: item.due as Ms } };
  }
}

function decodePending(item: SessionItem): Pending | undefined {
  if (item.wakeAt === undefined) return undefined;
  const pending: { -readonly [K in keyof Pending]: Pending[K] } = { until: item.wakeAt as Ms };
  if (item.fallback !== undefined) pending.fallbackUntil = item.fallback as Ms;
  if (item.attemptExp !== undefined) pending.expirySeconds = item.attemptExp as Seconds;
  if (item.endHeard === true) pending.endHeard = true;
  return pending;
}

function decodeAttempts(item: SessionItem): Attempts {
  const underway = (item.underway ?? []) as readonly AttemptId[];
  const uncounted = (item.uncounted ?? []) as readonly AttemptId[];
  const first = item.attempt as AttemptId;
  const ids = new Set([first, ...underway.toReversed(), item.confirmed, item.over, ...uncounted.toReversed()]);
  const attemptOf = (id: AttemptId): Attempt => {
    const state = stateOf(id === item.confirmed, id === item.over, underway.includes(id), id === first);
    return uncounted.includes(id) ? { id, state, uncounted: true } : { id, state };
  };
  const [latest, ...earlier] = [...ids].filter((id) => id !== undefined).map((id) => attemptOf(id as AttemptId));
  return [
    {
      ...(latest ?? attemptOf(first)),
      source: item.witness as Witness,
      admittedAt: item.admittedAt as Ms,
      ...(item.proto === undefined ? {} : { protocolVersion: item.proto as 3 | 4 | 5 }),
      ...(item.ip === undefined ? {} : { ipAddress: item.ip as string }),
    },
    ...earlier,
  ];
}

function stateOf(isConfirmed: boolean, isOver: boolean, isUnderway: boolean, isLatest: boolean): Attempt['state'] {
  if (isOver && isUnderway) return 'kicked';
  if (isConfirmed) return isOver ? 'ended' : 'connected';
  if (isOver) return 'over';
  return isUnderway || isLatest ? 'open' : 'forgotten';
}

/** Takes a session's key apart: `S|<deploymentId>|<partition>|<username>` and the client id. */
export function parseSessionKey(
  pk: string,
  sk: string,
): { deploymentId: DeploymentId; username: Username; clientId: ClientId } {
  const [, deploymentId = '', partition = ''] = pk.split('|', 3);
  const username = pk.slice(`S|${deploymentId}|${partition}|`.length);
  return { deploymentId: deploymentId as DeploymentId, username: username as Username, clientId: sk as ClientId };
}

function encodePair(pair: Pair): PairItem {
  return { i: pair.sessionIdentifier, v: pair.versionNumber };
}

function decodePair(pair: PairItem): Pair {
  return { sessionIdentifier: pair.i, versionNumber: pair.v };
}

function encodeEnding({ at, expirySeconds, unproven }: Ending): EndingItem {
  return { at, exp: expirySeconds, ...(unproven === undefined ? {} : { unproven }) };
}

function decodeEnding(ended: EndingItem): Ending {
  const told: Ending = { at: ms(ended.at), expirySeconds: seconds(ended.exp) };
  return ended.unproven === true ? { ...told, unproven: true } : told;
}
