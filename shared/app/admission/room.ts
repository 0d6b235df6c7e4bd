// Finds out by reading whether a username has room for one more session (S4): its limit, its count, and what of the count
// has expired. At a full username a reading turns newcomers away without a write. Otherwise the write that counts decides.
// It must not know what happens to the record of a session.

import { decideLimit, type EffectiveLimit, maxSessions } from '../../domain/limit.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { ConnectView } from '../../ports/admission/owners.ts';
import { contended } from '../../ports/common/errors.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import { isCounted, isSeenCounted } from '../counter/commit.ts';
import { mayHaveRoom } from '../counter/count-newcomer.ts';
import { freeDue } from '../counter/free-due.ts';
import {
  type AdmitPorts,
  type AdmitRequest,
  type ByLimit,
  checkTime,
  liveSession,
  type Run,
  readAgain,
} from './run.ts';

export async function look(
  { store }: AdmitPorts,
  settings: ConnectSettings,
  request: AdmitRequest,
): Promise<{ readonly view: ConnectView; readonly limit: EffectiveLimit }> {
  // Whitelist and overrides mean nothing while no limit is enforced.
  const enforced = settings.limit?.enabled === true ? settings.limit : undefined;
  const view = await store.readForConnect(request, {
    whitelistId: enforced?.whitelistId,
    overridesOf: enforced?.mayHaveOverrides === true ? enforced.generation : undefined,
    limit: enforced?.maxSessionsPerUsername ?? Number.POSITIVE_INFINITY,
  });
  return { view, limit: decideLimit(settings.limit, view.whitelisted, view.override) };
}

/**
 * Reads the limit again, because another process counts by another limit. Each process caches settings for some seconds, so
 * either may be behind.
 */
export async function readLimit(by: ByLimit, askedAt: Ms): Promise<number | 'blocked'> {
  const { ports, request } = by;
  const settings = await ports.settings.getNewer(request.deploymentId, by.settings, askedAt);
  if (settings === undefined) throw contended('the deployment has gone');
  by.settings = settings;
  const { limit } = await look(ports, settings, request);
  by.max = maxSessions(limit);
  return limit.kind === 'blocked' ? 'blocked' : by.max;
}

/** A session that is counted has its place (S3); an attempt that is not counted needs room. */
export async function findRoom(
  run: Run,
  by: ByLimit,
  met: Stored<Session> | undefined,
): Promise<'room' | 'full' | 'look again'> {
  if (met !== undefined && (met.value.phase.kind !== 'new' || isSeenCounted(run.roster, met.value))) return 'room';
  const { store } = run.ports;
  const before = run.session;
  const isIn = (await hasRoom(run, by)) || (met !== undefined && (await isCounted(store, run.roster, met.value)));
  if (!isIn) {
    // The first reading may lag, and the attempt may have been counted since. A session is not turned away from itself (S3).
    await readAgain(run);
    const isAsMet = met === undefined ? liveSession(run) === undefined : run.session?.revision === met.revision;
    if (isAsMet && !(met !== undefined && (await wasForced(run, met.value)))) return 'full';
  }
  return run.session?.revision === before?.revision ? 'room' : 'look again';
}

/** An outage's replay counts whatever the limit, without a change of the record that a reading would show (S17). */
async function wasForced({ ports }: Run, session: Session): Promise<boolean> {
  return session.recounted && (await ports.store.holds(session));
}

/** Reads before it writes, so that a storm of rejections costs no writes. Only a consistent reading says "full". */
async function hasRoom(run: Run, by: ByLimit): Promise<boolean> {
  if (run.roster.used < by.max) return true;
  const { deploymentId, username } = run.names;
  if (!by.rosterIsExact) run.roster = await run.ports.store.peekRoster(deploymentId, username);
  if (mayHaveRoom(run.roster, by.max)) return true;
  return (await reclaim(run, by)) && mayHaveRoom(run.roster, by.max);
}

/** Frees the username's own expired sessions within this CONNECT (S11). True if it freed any. */
export async function reclaim(run: Run, by: ByLimit): Promise<boolean> {
  const { ports, names } = run;
  const { deploymentId, username } = names;
  if (run.roster.wakeAt === undefined || run.roster.wakeAt > ports.clock.now()) return false;
  let freed = 0;
  // Entries that came too early may stand before the expired ones.
  for (let room = false, more = true; more && !room; room = mayHaveRoom(run.roster, by.max)) {
    checkTime(run);
    const page = await freeDue(ports, deploymentId, username, { limit: 25, seen: run.roster });
    freed += page.freed;
    more = page.more;
    if (page.freed > 0) run.roster = await ports.store.peekRoster(deploymentId, username);
  }
  if (freed === 0) return false;
  // The session of this client id may have been among them.
  await readAgain(run);
  return true;
}
