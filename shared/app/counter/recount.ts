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
// Some sessions may be counted by a number. The counter puts it right by what the sessions say, if nothing has happened to it
// since it was read before them.
//
// Every write is conditional on what it takes out or adds, or on what was read. Whatever dies in between leaves
// a roster that is nearer the truth than before, and everything may be repeated. A roster that would sleep past the end
// of a session is woken in time (S11).

import type { ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import { isSamePlace, unfolded } from '../../domain/place.ts';
import { isLive, type Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Tally } from '../../ports/counter/count-repair.ts';
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
  const tally = await store.readTally(deploymentId, username);
  const { uncounted, ofTombstones, firstDue, sessions } = await readSessions(ports, deploymentId, username, tally);
  const orphans = tally.unclaimed();
  // Most of what differs is somebody at work; what still differs now is looked at one by one.
  const again = orphans.length + uncounted.length === 0 ? tally : await store.readTally(deploymentId, username);
  let added = 0;
  for (const session of uncounted) {
    if (again.claim(session.place)) continue;
    const now = (await store.readSession(session))?.value;
    if (now === undefined || !isUncounted(now, ports.clock.now()) || !isSamePlace(now.place, session.place)) continue;
    if ((await countAgain(store, now)) === 'counted') added++;
  }
  const left = orphans.filter((place) => again.claim(place));
  const last = tally.used <= left.length;
  const forgotten = left.filter((place) => !ofTombstones.has(place));
  const { removed } = await store.removePlaces(deploymentId, username, forgotten, last);
  const owed = left.filter((place) => ofTombstones.has(place));
  const { removed: finished } = await store.removePlaces(deploymentId, username, owed, last);
  const corrected = await tally.correct();
  if (firstDue !== undefined && tally.wakeAt !== undefined && firstDue < tally.wakeAt)
    await store.lowerWake(deploymentId, username, firstDue);
  return { removed: removed + corrected, finished, added, firstDue, sessions };
}

/** A session that no roster can do without: an attempt that is not decided yet is none, and one that expired no more. */
function isUncounted(session: Session, now: Ms): boolean {
  return session.phase.kind !== 'new' && isLive(session, now);
}

interface Found {
  readonly uncounted: readonly Session[];
  readonly ofTombstones: ReadonlySet<Place>;
  readonly firstDue: Ms | undefined;
  readonly sessions: number;
}

/** Claims the place of each session that is not a tombstone. */
async function readSessions(
  { store, clock }: RecountPorts,
  deploymentId: DeploymentId,
  username: Username,
  tally: Tally,
): Promise<Found> {
  const uncounted: Session[] = [];
  const ofTombstones = new Set<Place>();
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
        ofTombstones.add(session.place);
        continue;
      }
      sessions++;
      if (firstDue === undefined || session.dueAt < firstDue) firstDue = session.dueAt;
      if (!tally.claim(session.place) && isUncounted(session, clock.now())) uncounted.push(session);
    }
    after = page.more ? page.items.at(-1)?.value.clientId : undefined;
  } while (after !== undefined);
  return { uncounted, ofTombstones, firstDue, sessions };
}

/** A freed session whose username is recounted: a number that may have counted it is put right by that, not by its record. */
export function freedBesideRecount(session: Session): Session {
  return session.phase.kind === 'ended' ? { ...session, place: unfolded(session.place) } : session;
}
