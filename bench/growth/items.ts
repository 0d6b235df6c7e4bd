// Sessions at rest by the hundred thousand, as admission and confirmation would have left them.

import { laneFor, laneKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { usualLayout } from '../../shared/adapters/dynamodb/counter/lane-items.ts';
import { storedPlaces } from '../../shared/adapters/dynamodb/counter/place-set.ts';
import { wideAt } from '../../shared/config/constants.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { folded, placeInLane } from '../../shared/domain/place.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../shared/domain/time.ts';
import { buildRanked, buildRoster, buildSession } from '../fill/items.ts';
import { connectedSession, placeFor, policy } from '../fill/sessions.ts';

type Item = Record<string, unknown>;

/** The sweeper looks at a wide roster so often. */
const wideWakesSeconds = seconds(300);

/** Numbered sessions of one username. */
function sessionOf(deploymentId: DeploymentId, username: Username, n: number, at: Ms): Session {
  const clientId = `${username}-${String(n).padStart(8, '0')}` as ClientId;
  return connectedSession({ deploymentId, username, clientId }, placeFor(username, n), at);
}

/**
 * One username with `count` connected sessions, ranked, as the sweeper leaves it. Of a wide roster the first sessions have
 * their places in the roster item, the next ones in their lanes, and all others are folded: counted there by a number.
 */
export function* sessionsOf(id: DeploymentId, username: Username, count: number, at: Ms): Generator<Item> {
  const wide = count >= wideAt;
  const narrow: Place[] = [];
  const lanes = new Map<number, { used: number; readonly places: Place[] }>();
  for (let n = 0; n < count; n++) {
    const session = sessionOf(id, username, n, at);
    if (n < wideAt) {
      narrow.push(session.place);
      yield buildSession(session);
      continue;
    }
    const number = laneFor(session.clientId);
    const lane = lanes.get(number) ?? { used: 0, places: [] };
    lanes.set(number, lane);
    const counted = { ...session, place: placeInLane(session.place, number) };
    lane.used++;
    const folds = lane.places.length >= usualLayout.foldAt;
    if (!folds) lane.places.push(counted.place);
    yield buildSession(folds ? { ...counted, place: folded(counted.place) } : counted);
  }
  for (const [number, { used, places }] of lanes)
    yield { ...laneKey(id, username, number), used, room: 0, places: storedPlaces(places), turn: used - places.length };
  const wakeAt = addSeconds(at, wide ? wideWakesSeconds : policy.maxConnectionSeconds);
  const roster = buildRoster(id, username, narrow, wakeAt);
  const lent = count - narrow.length;
  yield wide ? { ...roster, used: count, lent, openLanes: 0, wide: 1 } : roster;
  yield buildRanked(id, username, count);
}

const sessionsEach = 10;

/** So many sessions, ten of each username. */
export function* sessionsAtRest(id: DeploymentId, sessions: number, at: Ms): Generator<Item> {
  for (let n = 0; n < sessions / sessionsEach; n++)
    yield* sessionsOf(id, `crowd-${String(n).padStart(6, '0')}` as Username, sessionsEach, at);
}
