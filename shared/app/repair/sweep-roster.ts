// One username whose time has come: its expired sessions are freed, its roster is set to wake again, and recounted.

import { wideSleepSeconds } from '../../config/constants.ts';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import { addSeconds, type Ms, ms, seconds } from '../../domain/time.ts';
import { freeDue } from '../counter/free-due.ts';
import { recount } from '../counter/recount.ts';
import type { LifeCyclePorts } from '../presence/step.ts';

const freePage = 250;
/** Pages of one turn: what is more comes when the other usernames have had theirs. */
const pagesOfTurn = 2;
/** A roster of up to so many places is recounted whenever it wakes, a larger one in so much fewer of the minutes. */
const recountUpTo = 128;
const idleSeconds = seconds(3_600);

export interface RosterSwept {
  readonly freed: number;
  readonly drift: number;
  /** Its turn is over, and more of it is due. */
  readonly more: boolean;
}

/** Frees a username's expired sessions and says when to look again. */
export async function sweepRoster(
  ports: LifeCyclePorts,
  { deploymentId, username }: { readonly deploymentId: DeploymentId; readonly username: Username },
): Promise<RosterSwept> {
  const { store, clock } = ports;
  const before = await store.readRoster(deploymentId, username);
  const now = clock.now();
  if (before.wakeAt === undefined || before.wakeAt > now) return { freed: 0, drift: 0, more: false };
  const wide = before.wide === true;
  let freed = 0;
  let gone = false;
  for (let pages = 0, more = true; more; pages++) {
    if (pages === pagesOfTurn) return { freed, drift: 0, more: true };
    const seen = { ...before, used: before.used - freed };
    const page = await freeDue(ports, deploymentId, username, { limit: freePage, seen });
    freed += page.freed;
    more = page.more;
    gone = page.gone;
  }
  // Whoever has come since has made another, which wakes by itself.
  if (gone) return { freed, drift: 0, more: false };
  // At rest nothing is in reserve, and the roster item alone says what is counted.
  if (wide) await store.gatherReserve(deploymentId, username);
  // All of it was over: where nobody has come since, no roster is left that could wake or be recounted.
  if (freed > 0 && freed >= before.used) {
    const after = await store.readRoster(deploymentId, username);
    if (after.wakeAt === undefined) return { freed, drift: 0, more: false };
  }
  const recounted = isRecountDue(before.used, now);
  // A large roster that is not recounted was looked at through an index only, which may lag; and who counts in a lane
  // relies on a wide one to wake: neither sleeps for long.
  const due = (await store.nextDue(deploymentId, username, wide)) ?? addSeconds(now, idleSeconds);
  const next = recounted && !wide ? due : ms(Math.min(due, addSeconds(now, seconds(wideSleepSeconds))));
  if (next > now) await store.moveWake(deploymentId, username, before.wakeAt, next);
  // Looked at once more after the wake was moved: whoever shortens a session writes it first and lowers the wake
  // second, so that one of the two sees the other.
  let drift = 0;
  if (recounted) {
    const counted = await recount(ports, deploymentId, username);
    drift = counted.removed + counted.added;
  } else {
    const first = await store.nextDue(deploymentId, username, wide);
    if (first !== undefined && first < next) await store.lowerWake(deploymentId, username, first);
  }
  if (before.used <= 0) await store.removeEmptyRoster(deploymentId, username);
  return { freed, drift, more: false };
}

/**
 * Minutes chosen so that rosters which wake at regular intervals meet them all the same; what is left out for long the
 * reconciler recounts.
 */
function isRecountDue(used: number, now: Ms): boolean {
  const minute = Math.floor(now / 60_000);
  return used <= recountUpTo || ((minute * 0.618_033_988_749_894_9) % 1) * used < recountUpTo;
}
