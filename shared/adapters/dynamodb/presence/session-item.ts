// A session as an item and back. Attribute names are short because items are many; what they mean is in Session.

import type { sessionAttributes } from '../../../config/attributes.ts';
import { ttlGraceSeconds } from '../../../config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../../domain/ids.ts';
import { folded, isFolded, laneOf, unfolded } from '../../../domain/place.ts';
import {
  type Ending,
  type Pair,
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
  const { deploymentId, username, holding, place, leaseUntil, dueAt, ended, pair, closedPairs } = session;
  const live = holding !== 'freed';
  const found = live || session.owes === true;
  const { pk, sk } = sessionKey(deploymentId, username, session.clientId);
  return {
    pk,
    sk,
    rev: revision,
    place: placeBytes(unfolded(place)),
    attempt: session.attempt,
    witness: session.witness,
    holding,
    countsUntil: session.countsUntil,
    due: dueAt,
    duePk: found ? duePk(deploymentId, username, laneOf(place)) : undefined,
    dueAt: found ? dueAt : undefined,
    // A pending attempt, or a tombstone that was found by its lease and is not settled yet.
    wakePk: leaseUntil === undefined ? undefined : wakePartition(sk),
    wakeAt: leaseUntil,
    fallback: session.fallbackUntil,
    ended: ended === undefined ? undefined : encodeEnding(ended),
    confirmed: session.confirmedAttempt,
    over: session.overAttempt,
    folded: isFolded(place) || undefined,
    endHeard: session.endHeard,
    pair: pair === undefined ? undefined : encodePair(pair),
    closed: closedPairs.length === 0 ? undefined : closedPairs.map(encodePair),
    overlap: session.overlap || undefined,
    underway: session.underway,
    exp: session.expirySeconds,
    attemptExp: session.attemptExpirySeconds,
    told: session.expiryTold,
    recounted: session.recounted || undefined,
    uncounted: session.knownUncounted,
    owes: session.owes,
    signed: session.signedBy,
    admittedAt: session.admittedAt,
    connectedAt: session.connectedAt,
    unsure: session.connectedAtUnsure,
    disconnectedAt: session.disconnectedAt,
    proto: session.protocolVersion,
    ip: session.ipAddress,
    ttl: toEpochSeconds(live ? addSeconds(session.countsUntil, seconds(ttlGraceSeconds)) : tombstoneUntil(session)),
  };
}

export function decodeSession(item: Partial<Record<SessionAttribute, unknown>>): Stored<Session> {
  const { deploymentId, username, clientId } = parseSessionKey(String(item.pk), String(item.sk));
  const place = placeOf(item.place as Uint8Array);
  const value: { -readonly [K in keyof Session]: Session[K] } = {
    deploymentId,
    username,
    clientId,
    place: item.folded === true ? folded(place) : place,
    attempt: item.attempt as AttemptId,
    witness: item.witness as Witness,
    holding: item.holding as Session['holding'],
    countsUntil: ms(item.countsUntil as number),
    dueAt: ms(item.due as number),
    closedPairs: ((item.closed ?? []) as PairItem[]).map(decodePair),
    overlap: item.overlap === true,
    expirySeconds: seconds(item.exp as number),
    recounted: item.recounted === true,
    admittedAt: ms(item.admittedAt as number),
  };
  /** As above: one by one, because spreads are slow. */
  const set = <K extends keyof Session>(name: K, to: Session[K] | undefined): void => {
    if (to !== undefined) value[name] = to as (typeof value)[K];
  };
  const isTrue = (stored: unknown): true | undefined => (stored === true ? true : undefined);
  set('leaseUntil', item.wakeAt as Ms | undefined);
  set('fallbackUntil', item.fallback as Ms | undefined);
  set('ended', decodeEnding(item.ended as EndingItem | undefined));
  set('confirmedAttempt', item.confirmed as AttemptId | undefined);
  set('overAttempt', item.over as AttemptId | undefined);
  set('endHeard', isTrue(item.endHeard));
  set('pair', item.pair === undefined ? undefined : decodePair(item.pair as PairItem));
  set('underway', item.underway as readonly AttemptId[] | undefined);
  set('attemptExpirySeconds', item.attemptExp as Seconds | undefined);
  set('expiryTold', isTrue(item.told));
  set('knownUncounted', item.uncounted as readonly AttemptId[] | undefined);
  set('owes', isTrue(item.owes));
  set('signedBy', item.signed as readonly Voucher[] | undefined);
  set('connectedAt', item.connectedAt as Ms | undefined);
  set('connectedAtUnsure', isTrue(item.unsure));
  set('disconnectedAt', item.disconnectedAt as Ms | undefined);
  set('protocolVersion', item.proto as 3 | 4 | 5 | undefined);
  set('ipAddress', item.ip as string | undefined);
  return { value, revision: String(item.rev) };
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

function decodeEnding(ended: EndingItem | undefined): Ending | undefined {
  if (ended === undefined) return undefined;
  const told: Ending = { at: ms(ended.at), expirySeconds: seconds(ended.exp) };
  return ended.unproven === true ? { ...told, unproven: true } : told;
}
