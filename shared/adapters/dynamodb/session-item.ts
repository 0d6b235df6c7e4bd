// A session as an item and back. Attribute names are short because items are many; what they mean is in Session.

import { tombstoneSeconds, ttlGraceSeconds } from '../../config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import { laneOf } from '../../domain/place.ts';
import type { Ending, Pair, Session, Witness } from '../../domain/session.ts';
import { addSeconds, type Ms, ms, type Seconds, seconds, toEpochSeconds } from '../../domain/time.ts';
import type { Stored } from '../../ports/sessions.ts';
import { duePk, sessionKey, wakePartition } from './keys.ts';

export type Item = Record<string, unknown>;

type PairItem = { i: string; v: number };

export function placeBytes(place: Place): Uint8Array {
  return Buffer.from(place, 'base64url');
}

export function placeOf(bytes: Uint8Array): Place {
  return Buffer.from(bytes).toString('base64url') as Place;
}

/** A set as it is stored; none where it has no member. */
export function placesOf(set: unknown): ReadonlySet<Place> {
  return new Set([...((set ?? []) as Iterable<Uint8Array>)].map(placeOf));
}

export function encodeSession(session: Session, revision: string): Item {
  const live = session.holding !== 'freed';
  const found = live || session.owes === true;
  const key = sessionKey(session.deploymentId, session.username, session.clientId);
  return {
    ...key,
    rev: revision,
    place: placeBytes(session.place),
    attempt: session.attempt,
    witness: session.witness,
    holding: session.holding,
    countsUntil: session.countsUntil,
    due: session.dueAt,
    ...(found
      ? { duePk: duePk(session.deploymentId, session.username, laneOf(session.place)), dueAt: session.dueAt }
      : {}),
    // A pending attempt, or a tombstone that was found by its lease and is not settled yet.
    ...(session.leaseUntil === undefined ? {} : { wakePk: wakePartition(key.sk), wakeAt: session.leaseUntil }),
    fallback: session.fallbackUntil,
    ended: session.ended === undefined ? undefined : { at: session.ended.at, exp: session.ended.expirySeconds },
    confirmed: session.confirmedAttempt,
    over: session.overAttempt,
    folded: session.folded,
    endHeard: session.endHeard,
    pair: session.pair === undefined ? undefined : encodePair(session.pair),
    closed: session.closedPairs.length === 0 ? undefined : session.closedPairs.map(encodePair),
    overlap: session.overlap || undefined,
    exp: session.expirySeconds,
    attemptExp: session.attemptExpirySeconds,
    told: session.expiryTold,
    supersedes: session.supersedes,
    unclean: session.unclean,
    recounted: session.recounted || undefined,
    uncounted: session.knownUncounted,
    owes: session.owes,
    admittedAt: session.admittedAt,
    connectedAt: session.connectedAt,
    unsure: session.connectedAtUnsure,
    disconnectedAt: session.disconnectedAt,
    proto: session.protocolVersion,
    ip: session.ipAddress,
    ttl: toEpochSeconds(
      live
        ? addSeconds(session.countsUntil, seconds(ttlGraceSeconds))
        : addSeconds(later(session), seconds(tombstoneSeconds)),
    ),
  };
}

/** A tombstone lives on from the last thing that is known of it. */
function later(session: Session): Ms {
  return ms(Math.max(session.admittedAt, session.disconnectedAt ?? 0, Math.min(session.countsUntil, session.dueAt)));
}

export function decodeSession(item: Item): Stored<Session> {
  const names = parseSessionKey(String(item.pk), String(item.sk));
  const value: Session = {
    ...names,
    place: placeOf(item.place as Uint8Array),
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
    ...optional('leaseUntil', item.wakeAt as Ms | undefined),
    ...optional('fallbackUntil', item.fallback as Ms | undefined),
    ...optional('ended', decodeEnding(item.ended as { at: number; exp: number } | undefined)),
    ...optional('confirmedAttempt', item.confirmed as AttemptId | undefined),
    ...optional('overAttempt', item.over as AttemptId | undefined),
    ...optional('folded', item.folded === true ? (true as const) : undefined),
    ...optional('endHeard', item.endHeard === true ? (true as const) : undefined),
    ...optional('pair', item.pair === undefined ? undefined : decodePair(item.pair as PairItem)),
    ...optional('attemptExpirySeconds', item.attemptExp as Seconds | undefined),
    ...optional('expiryTold', item.told === true ? (true as const) : undefined),
    ...optional('supersedes', item.supersedes as readonly Username[] | undefined),
    ...optional('unclean', item.unclean === true ? (true as const) : undefined),
    ...optional('knownUncounted', item.uncounted as readonly AttemptId[] | undefined),
    ...optional('owes', item.owes === true ? (true as const) : undefined),
    ...optional('connectedAt', item.connectedAt as Ms | undefined),
    ...optional('connectedAtUnsure', item.unsure === true ? (true as const) : undefined),
    ...optional('disconnectedAt', item.disconnectedAt as Ms | undefined),
    ...optional('protocolVersion', item.proto as 3 | 4 | 5 | undefined),
    ...optional('ipAddress', item.ip as string | undefined),
  };
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

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function encodePair(pair: Pair): PairItem {
  return { i: pair.sessionIdentifier, v: pair.versionNumber };
}

function decodePair(pair: PairItem): Pair {
  return { sessionIdentifier: pair.i, versionNumber: pair.v };
}

function decodeEnding(ended: { at: number; exp: number } | undefined): Ending | undefined {
  return ended === undefined ? undefined : { at: ms(ended.at), expirySeconds: seconds(ended.exp) };
}
