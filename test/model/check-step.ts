// What must hold after every single request, whatever else is under way.

import { isSamePlace } from '../../shared/domain/place.ts';
import { isLive, type Session } from '../../shared/domain/session/record.ts';
import type { Actor } from './actor.ts';
import type { RealSession } from './broker-oracle.ts';
import { excuseForced, excuseOverLimit } from './excuses.ts';
import { isCounted, rosterOf, sessionOf, sessionsOf, type TableView } from './table-view.ts';
import type { World } from './world.ts';

/** `before`: the table before the request; `actor`: whose request it was, undefined where only time has passed. */
export function checkStep(world: World, before: TableView, actor: Actor | undefined): void {
  for (const [key, { place, phase }] of before.sessions) {
    const now = world.view.sessions.get(key);
    if (phase.kind === 'ended' && now !== undefined && !isSamePlace(now.place, place)) world.pastPlaces.add(place);
  }
  checkRosters(world, before, actor);
  checkReality(world);
  if (actor?.deploymentId !== undefined) checkIsolation(world, before, actor);
}

/** I1, and the arithmetic that it stands on. */
function checkRosters(world: World, before: TableView, actor: Actor | undefined): void {
  for (const { deploymentId, username, roster } of world.view.rosters.values()) {
    // A session may be counted twice for a while: its place was added once more when it had been folded already. The
    // recount takes it back, so at quiet there is none (I2).
    const twice = roster.used - roster.places.size;
    if (twice < 0 || (twice > 0 && roster.wide !== true))
      world.violate('I1', `${username}: used is ${roster.used}, places are ${roster.places.size}`);
    const was = rosterOf(before, deploymentId, username);
    if (roster.used <= was.used) continue;
    const news = [...roster.places].filter((place) => !was.places.has(place));
    const [added] = news;
    if (added === undefined && twice > was.used - was.places.size) {
      world.reached.note('counted twice for a moment');
      continue;
    }
    // One, or several newcomers that one process counts together: each by a place of its own.
    const most = actor?.connects ?? 1;
    if (roster.used !== was.used + news.length || added === undefined || news.length > most)
      world.violate('I1', `${username}: from ${was.used} to ${roster.used} in one step`);
    const session = sessionsOf(world.view, deploymentId, username).find((one) => one.place === added);
    if (actor?.kind === 'connect' && !isForced(session)) {
      if (roster.used > actor.max)
        world.violate('I1', `${username}: ${roster.used} admitted under a limit of ${actor.max}`);
      continue;
    }
    const what = `${actor?.kind ?? 'nobody'} counted ${session?.clientId ?? 'a place without a session'} of ${username}, ${session?.phase.kind ?? ''}`;
    world.noteForced(what, excuseForced(world, session, added));
  }
}

/** Connected or retained, and yet not counted: only a fault leaves that behind, and it is counted whatever the limit. */
function isForced(session: Session | undefined): boolean {
  return session?.phase.kind === 'connected' || session?.phase.kind === 'retained';
}

/** I1b: what really exists is counted, and so never more than the limit. */
function checkReality(world: World): void {
  const byUser = new Map<string, number>();
  for (const real of world.oracle.live()) {
    const excuse = world.excuseUncounted(real);
    if (excuse !== undefined) continue;
    const key = `${real.deploymentId}/${real.username}`;
    const session = sessionOf(world.view, real.deploymentId, real.username, real.clientId);
    const count = (byUser.get(key) ?? 0) + (excuseOverLimit(world, session) === undefined ? 1 : 0);
    byUser.set(key, count);
    const ceiling = world.ceilings.get(key) ?? 0;
    if (count > ceiling && !world.uncounted.has(key))
      world.violate('I1b', `${key} really has ${count} sessions, no admission had a limit above ${ceiling}`);
    const problem = whyUncounted(world, real);
    if (problem !== undefined)
      world.violate(
        'I1b',
        `${key}/${real.clientId} really ${real.connection === undefined ? 'is retained' : 'is connected'}, but ${problem}`,
      );
  }
}

function whyUncounted(world: World, real: RealSession): string | undefined {
  const session = sessionOf(world.view, real.deploymentId, real.username, real.clientId);
  if (session === undefined) return 'has no session item';
  if (session.phase.kind === 'ended') return 'its session is freed';
  if (!isLive(session, world.clock.now()))
    return `its session counts only until ${session.countsUntil - world.clock.now()} ms from now`;
  return isCounted(world.view, session) ? undefined : 'its place is not in the roster';
}

/** I6: what is done for one deployment changes no item of another. */
function checkIsolation(world: World, before: TableView, actor: Actor): void {
  const mine = `|${actor.deploymentId}|`;
  for (const key of new Set([...before.items.keys(), ...world.view.items.keys()])) {
    if (!key.includes(mine) && fingerprint(before, key) !== fingerprint(world.view, key)) {
      world.violate('I6', `${actor.title} of ${actor.deploymentId} changed ${key}`);
    }
  }
}

function fingerprint(view: TableView, key: string): string {
  const item = view.items.get(key);
  return item === undefined ? 'none' : [item.rev, item.used, item.wakeAt].map(String).join(' ');
}
