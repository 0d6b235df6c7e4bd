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
// Every write is conditional on the places that it takes out or adds, and on nothing else. Whatever dies in between leaves
// a roster that is nearer the truth than before, and everything may be repeated. A roster that would sleep past the end
// of a session is woken in time (S11).

import type { ClientId, DeploymentId, Place, Username } from '../domain/ids.ts';
import { isLive, type Session } from '../domain/session.ts';
import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionStore } from '../ports/sessions.ts';
import { countAgain } from './free.ts';

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
  const found = await readSessions(ports, deploymentId, username, roster.places);
  const { orphans, uncounted, firstDue, sessions } = found;
  // Most of what differs is somebody at work; what still differs now is looked at one by one.
  const still = orphans.size + uncounted.length === 0 ? roster : await store.readRoster(deploymentId, username);
  let added = 0;
  for (const session of uncounted) {
    if (still.places.has(session.place)) continue;
    const now = (await store.readSession(session))?.value;
    if (now === undefined || !isUncounted(now, ports.clock.now()) || now.place !== session.place) continue;
    if ((await countAgain(store, now)) === 'counted') added++;
  }
  const left = [...orphans].filter(([place]) => still.places.has(place));
  const placesOf = (kind: 'nothing' | 'tombstone') => left.filter(([, of]) => of === kind).map(([place]) => place);
  const last = still.used <= left.length;
  const removed = await store.removePlaces(deploymentId, username, placesOf('nothing'), last);
  const finished = await store.removePlaces(deploymentId, username, placesOf('tombstone'), last);
  if (firstDue !== undefined && roster.wakeAt !== undefined && firstDue < roster.wakeAt)
    await store.lowerWake(deploymentId, username, firstDue);
  return { removed, finished, added, firstDue, sessions };
}

/** A session that no roster can do without: an attempt that is not decided yet is none, and one that expired no more. */
function isUncounted(session: Session, now: Ms): boolean {
  return session.holding !== 'new' && isLive(session, now);
}

async function readSessions(
  { store, clock }: RecountPorts,
  deploymentId: DeploymentId,
  username: Username,
  places: ReadonlySet<Place>,
): Promise<{
  readonly orphans: ReadonlyMap<Place, 'nothing' | 'tombstone'>;
  readonly uncounted: readonly Session[];
  readonly firstDue: Ms | undefined;
  readonly sessions: number;
}> {
  const orphans = new Map<Place, 'nothing' | 'tombstone'>([...places].map((place) => [place, 'nothing']));
  const uncounted: Session[] = [];
  let firstDue: Ms | undefined;
  let sessions = 0;
  let after: ClientId | undefined;
  do {
    const page = await store.listSessions(deploymentId, username, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value: session } of page.items) {
      if (session.holding === 'freed') {
        if (orphans.has(session.place)) orphans.set(session.place, 'tombstone');
        continue;
      }
      sessions++;
      if (firstDue === undefined || session.dueAt < firstDue) firstDue = session.dueAt;
      if (!orphans.delete(session.place) && isUncounted(session, clock.now())) uncounted.push(session);
    }
    after = page.more ? page.items.at(-1)?.value.clientId : undefined;
  } while (after !== undefined);
  return { orphans, uncounted, firstDue, sessions };
}
