// Makes a username's roster agree with its sessions (I2), beside live traffic. It needs no lock, because of the order in
// which everybody else writes:
//
// * A session is written before its place is added, and stays until after its tombstone. So a place that was in the
//   roster before the sessions were read, and whose session none of the readings shows, belongs to nothing: taking it
//   out can hit no live session. A place that was added later is not in that roster and is left alone, however long
//   the listing takes.
// * A session that is not in that roster may have been counted since, or have ended: both are looked at again before
//   it is counted, and `countAgain` looks once more after it.
//
// A wide roster counts folded sessions by a number. A part's number is corrected by what the sessions say, if it is still
// the one that was read before them: every fold and every end of a folded session changes the part's turn, so nothing
// can have happened to it in between.
//
// Every write is conditional on the places that it takes out or adds, or on the turn. Whatever dies in between leaves
// a roster that is nearer the truth than before, and everything may be repeated. A roster that would sleep past the end
// of a session is woken in time (S11).

import type { ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import { laneOf } from '../../domain/place.ts';
import { isLive, type Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { RosterPart } from '../../ports/counter/count-repair.ts';
import { countAgain } from './commit.ts';

export interface RecountPorts {
  readonly store: SessionStore;
  readonly clock: Clock;
}

export interface Recounted {
  /** Places that belonged to no record, taken out: drift. */
  readonly removed: number;
  /** Places of tombstones, taken out: whoever freed them died over it, or is at it in this moment. */
  readonly finished: number;
  /** Confirmed sessions that were not counted, counted now, over the limit if need be: drift. */
  readonly added: number;
  /** When the first of its sessions is due; undefined if it has none. */
  readonly firstDue: Ms | undefined;
  /** Sessions that are not tombstones. */
  readonly sessions: number;
}

/** Sessions of a page: some 200 KB, so that 40,000 of them are 80 readings. */
const pageSize = 500;

export async function recount(ports: RecountPorts, deploymentId: DeploymentId, username: Username): Promise<Recounted> {
  const { store } = ports;
  const roster = await store.readRoster(deploymentId, username);
  const parts = roster.wide === true ? await store.readParts(deploymentId, username) : undefined;
  const places = new Set(parts?.flatMap((part) => [...part.places]) ?? roster.places);
  const found = await readSessions(ports, deploymentId, username, places);
  const { orphans, uncounted, firstDue, sessions } = found;
  // Most of what differs is somebody at work; what still differs now is looked at one by one.
  const still = orphans.size + uncounted.length === 0 ? places : await readPlaces(store, deploymentId, username);
  let added = 0;
  for (const session of uncounted) {
    if (still.has(session.place)) continue;
    const now = (await store.readSession(session))?.value;
    if (now === undefined || !isUncounted(now, ports.clock.now()) || now.place !== session.place) continue;
    if ((await countAgain(store, now)) === 'counted') added++;
  }
  const left = [...orphans].filter(([place]) => still.has(place));
  const placesOf = (kind: 'nothing' | 'tombstone') => left.filter(([, of]) => of === kind).map(([place]) => place);
  const last = roster.used <= left.length;
  const { removed } = await store.removePlaces(deploymentId, username, placesOf('nothing'), last);
  const { removed: finished } = await store.removePlaces(deploymentId, username, placesOf('tombstone'), last);
  for (const place of found.dropped) await store.dropPlace(deploymentId, username, place, { atOnce: true });
  const corrected = await correct(ports, deploymentId, username, parts, found);
  if (firstDue !== undefined && roster.wakeAt !== undefined && firstDue < roster.wakeAt)
    await store.lowerWake(deploymentId, username, firstDue);
  return { removed: removed + corrected, finished, added, firstDue, sessions };
}

async function readPlaces(
  store: SessionStore,
  deploymentId: DeploymentId,
  username: Username,
): Promise<ReadonlySet<Place>> {
  const parts = await store.readParts(deploymentId, username);
  if (parts !== undefined) return new Set(parts.flatMap((part) => [...part.places]));
  return (await store.readRoster(deploymentId, username)).places;
}

/** Answers how many places the numbers of folded sessions were wrong by. */
async function correct(
  { store }: RecountPorts,
  deploymentId: DeploymentId,
  username: Username,
  parts: readonly RosterPart[] | undefined,
  { folded, dropped }: Found,
): Promise<number> {
  let wrong = 0;
  for (const part of parts ?? []) {
    // A place that its fold left behind is counted as a place yet; the next recount finds it gone.
    const told = [...folded].filter((place) => laneOf(place) === part.lane && !part.places.has(place)).length;
    const isMoving = [...dropped].some((place) => laneOf(place) === part.lane);
    if (told === part.folded || isMoving) continue;
    await store.correctFolded(deploymentId, username, part, told - part.folded);
    wrong += Math.abs(told - part.folded);
  }
  return wrong;
}

/** A session that no roster can do without: an attempt that is not decided yet is none, and one that expired no more. */
function isUncounted(session: Session, now: Ms): boolean {
  return session.phase.kind !== 'new' && isLive(session, now);
}

interface Found {
  readonly orphans: ReadonlyMap<Place, 'nothing' | 'tombstone'>;
  readonly uncounted: readonly Session[];
  /** Places of folded sessions. */
  readonly folded: ReadonlySet<Place>;
  /** Of these, those that lie in a lane still: whoever folded them died over it. */
  readonly dropped: readonly Place[];
  readonly firstDue: Ms | undefined;
  readonly sessions: number;
}

async function readSessions(
  { store, clock }: RecountPorts,
  deploymentId: DeploymentId,
  username: Username,
  places: ReadonlySet<Place>,
): Promise<Found> {
  const orphans = new Map<Place, 'nothing' | 'tombstone'>([...places].map((place) => [place, 'nothing']));
  const uncounted: Session[] = [];
  const folded = new Set<Place>();
  const dropped: Place[] = [];
  let firstDue: Ms | undefined;
  let sessions = 0;
  let after: ClientId | undefined;
  do {
    const page = await store.listSessions(deploymentId, username, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value: session } of page.items) {
      if (session.phase.kind === 'ended') {
        if (orphans.has(session.place)) orphans.set(session.place, 'tombstone');
        continue;
      }
      sessions++;
      if (firstDue === undefined || session.dueAt < firstDue) firstDue = session.dueAt;
      if (session.folded === true) {
        folded.add(session.place);
        if (orphans.delete(session.place)) dropped.push(session.place);
        continue;
      }
      if (!orphans.delete(session.place) && isUncounted(session, clock.now())) uncounted.push(session);
    }
    after = page.more ? page.items.at(-1)?.value.clientId : undefined;
  } while (after !== undefined);
  return { orphans, uncounted, folded, dropped, firstDue, sessions };
}
