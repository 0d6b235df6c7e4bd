// Admission: the one use case that everything else serves (S3, S4, S9, S11, S12). It comes after credentials. An outage's
// replay (outage.ts) runs the same steps in the same order, so the races between the two are those of two CONNECTs.
//
// A new session takes three writes (`begin`). The session item comes first; its attempt is not counted yet. The owner of
// the client id and the roster follow side by side, and the roster decides. A process that dies between any two leaves at
// most an attempt, and its lease leads the sweeper to it.
//
// A CONNECT that meets a live session (`meet`) writes the session item first. The owner follows if its item may be missing or
// expire first, and then the roster if the session is not counted yet. No client is let in here that is not counted. ADR 1
// has the alternatives.

import { ownerSeconds, ttlGraceSeconds } from '../../config/constants.ts';
import { maxSessions } from '../../domain/limit.ts';
import { isSamePlace } from '../../domain/place.ts';
import { meetSession, startSession } from '../../domain/session/attempt.ts';
import { noteArrival } from '../../domain/session/attempts.ts';
import { freeSession, settleSession } from '../../domain/session/outcome.ts';
import { isLive, type Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import { contended, StoreUnavailable } from '../../ports/common/errors.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import { type OtherHolder, readOtherHolder } from '../common/other-holder.ts';
import { commit, countForced, isCounted, uncountOver } from '../counter/commit.ts';
import { countNewcomer } from '../counter/count-newcomer.ts';
import { findRoom, look, readLimit, reclaim } from './room.ts';
import {
  type AdmitDecision,
  type AdmitPorts,
  type AdmitRequest,
  type ByLimit,
  checkTime,
  liveSession,
  type Run,
  readAgain,
  type Step,
} from './run.ts';
import { takeOver } from './takeover.ts';

/** Maximum rounds after another process wrote first. Then the answer is unavailable: contention is never told as quota. */
const maxRounds = 12;

/** Throws StoreUnavailable if the database does not answer, or other processes keep writing the same items. */
export async function admit(
  ports: AdmitPorts,
  settings: ConnectSettings,
  request: AdmitRequest,
): Promise<AdmitDecision> {
  const { view, limit } = await look(ports, settings, request);
  if (limit.kind === 'blocked') return rejected('blocked');
  const { rosterIsExact, session, owner, roster } = view;
  const by: ByLimit = { kind: 'limit', ports, request, settings, max: maxSessions(limit), rosterIsExact };
  const admission = { ...request, attempt: ports.random.attemptId(), at: ports.clock.now() };
  const run: Run = { ports, names: request, admission, by, session, owner, roster };
  const decision = await runAdmission(run);
  if (decision === undefined) throw contended('others kept writing the items of this client id');
  if (decision.kind === 'rejected') await withdraw(run);
  return decision;
}

/** Undefined if other processes keep writing the same items. Safe to repeat. */
export async function runAdmission(run: Run): Promise<AdmitDecision | undefined> {
  for (let round = 0; round < maxRounds; round++) {
    checkTime(run);
    const decision = await tryOnce(run);
    if (decision !== 'look again') return decision;
    if (run.by.kind === 'limit') run.by.rosterIsExact = false;
  }
  return undefined;
}

/** One round. `met`: the live session of this username under the client id; once counted, it counts nothing new (S3). */
async function tryOnce(run: Run): Promise<Step> {
  const { by } = run;
  const met = liveSession(run);
  const other = await readOther(run);
  if (other === 'refuse') return rejected('client_id_held');
  const room = by.kind === 'limit' ? await findRoom(run, by, met) : 'room';
  if (room !== 'room') return room === 'full' ? rejected('quota_exceeded') : room;
  if (met === undefined && (await settleBefore(run)) === 'look again') return 'look again';
  const next = nextRecord(run, met?.value, other.changed);
  if (next === 'nothing') return admitted(run, true);
  if ((await endOther(run, other)) === 'look again') return 'look again';
  const idIsLost = by.kind === 'forced' && by.hasLostId(other);
  return met === undefined ? begin(run, next, idIsLost, other.changed) : meet(run, met, next, idIsLost);
}

/** S9: the record of another username that holds the client id, or held it last. `refuse`: the id may not be taken. */
async function readOther(run: Run): Promise<OtherHolder | 'refuse'> {
  const { by, names, ports } = run;
  const isOwn = run.owner === undefined || run.owner.value.username === names.username;
  if (isOwn) return { owner: run.owner, changed: false, record: undefined };
  // The first reading may lag, and an owner of long ago must not lead to the end of a session.
  const other = await readOtherHolder(ports.store, names);
  run.owner = other.owner;
  const isHeld = other.record !== undefined && isLive(other.record.value, ports.clock.now());
  return isHeld && by.kind === 'limit' && by.settings.deployment.clientIdTakeover !== 'allow' ? 'refuse' : other;
}

/**
 * The session that was here is over, but its place may still be counted. It expired and was not swept, or the process that
 * freed it died halfway. The place goes first, because the new record forgets it.
 */
async function settleBefore(run: Run): Promise<'look again' | 'settled'> {
  if (run.session === undefined) return 'settled';
  run.session = await uncountOver(run.ports, run.session, run.roster);
  return run.session === undefined ? 'look again' : 'settled';
}

function nextRecord(run: Run, met: Session | undefined, changedHands: boolean): Session | 'nothing' {
  const { by, ports, names, admission, session, roster } = run;
  if (by.kind === 'forced') return by.next(session?.value, changedHands);
  if (met !== undefined) return meetSession(met, admission, ports.policy, changedHands);
  const place = ports.store.placeFor(names, ports.random.place(), roster, by.max);
  return startSession(names, place, admission, ports.policy, session?.value, changedHands);
}

/** S9: ends the other username's session, after every other check of the newcomer has passed. */
async function endOther(run: Run, { record }: OtherHolder): Promise<'look again' | 'over'> {
  if (record === undefined) return 'over';
  const { by, names } = run;
  if (by.kind === 'forced') {
    await by.doubt(record.value);
    return 'over';
  }
  const ended = await takeOver(by.ports, names.deploymentId, names.clientId, record);
  if (ended === 'unavailable') throw contended("another username's session could not be ended");
  checkTime(run);
  return ended === 'changed' ? 'look again' : 'over';
}

async function meet(run: Run, met: Stored<Session>, next: Session, idIsLost: boolean): Promise<Step> {
  const { store } = run.ports;
  const { deploymentId, clientId } = run.names;
  // The owner may have changed since it was read, and not every place shows in the first reading. Both are read beside the
  // write, which costs no time.
  const [put, owner, counted] = await Promise.all([
    next === met.value ? ({ kind: 'done', ...met } as const) : store.putSession(next, met),
    store.readOwner(deploymentId, clientId),
    run.by.kind === 'limit' && isCounted(store, run.roster, met.value),
  ]);
  const sameOwner = owner?.revision === run.owner?.revision;
  run.owner = owner;
  run.session = put.kind === 'changed' ? put.current : put;
  if (put.kind === 'changed' || !sameOwner) return 'look again';
  // Invariant: of two usernames that find a client id free at once, one is admitted.
  // Race: the session met may be a new attempt that has not claimed the client id yet. Then the other username has not
  // seen it, and only a write of the owner stops that username.
  // On crash: the attempt is counted until its lease.
  const needsNoClaim = idIsLost || (met.value.phase.kind !== 'new' && ownsFor(run, next.countsUntil));
  if (!needsNoClaim && (await claim(run)) === 'look again') return 'look again';
  // A place stays counted until its session is freed, and this write proves that it was not freed.
  if (counted) return admitted(run, true);
  return count(run, put, met);
}

async function begin(run: Run, next: Session, idIsLost: boolean, changedHands: boolean): Promise<Step> {
  const before = run.session;
  const put = await run.ports.store.putSession(next, before);
  run.session = put.kind === 'changed' ? put.current : put;
  if (put.kind === 'changed') return 'look again';
  // The two run side by side, which saves one way to the database; where the client id changes hands, one after the other. The record is there already, so the next username that
  // takes the client id sees it. A place that was counted for nothing is given back.
  const [owned, decision] =
    changedHands && run.by.kind === 'limit'
      ? await countThenClaim(run, put, before)
      : await Promise.all([idIsLost ? 'done' : claim(run), count(run, put, before)]);
  if (owned === 'done') return decision;
  // Another username took the client id in between: this attempt steps back, unless its client was let in already.
  if (isAdmitted(decision) && run.by.kind === 'limit') await giveBack(run);
  await readAgain(run);
  return 'look again';
}

/**
 * Invariant: a client id goes to another username only with a session that is counted.
 * Race: a CONNECT of the username before may reach the broker after its end was proven. Its event finds that username as the
 * owner of the id, if this newcomer has no room.
 * On crash: counted without the id, until the lease; the newcomer was not let in.
 */
async function countThenClaim(
  run: Run,
  written: Stored<Session>,
  replaced: Stored<Session> | undefined,
): Promise<readonly ['done' | 'look again', Step]> {
  const decision = await count(run, written, replaced);
  return [isAdmitted(decision) ? await claim(run) : 'done', decision];
}

const isAdmitted = (step: Step): boolean => step !== 'look again' && step.kind === 'admitted';

async function giveBack({ ports, session }: Run): Promise<void> {
  if (session !== undefined) await commit(ports, session, freeSession(session.value, { owes: true }));
}

/** The owner item names this username, and outlives the session. */
function ownsFor({ owner, names }: Run, countsUntil: Ms): boolean {
  const until = addSeconds(countsUntil, seconds(ttlGraceSeconds));
  return owner?.value.username === names.username && owner.value.keptUntil > until;
}

async function claim(run: Run): Promise<'look again' | 'done'> {
  const { deploymentId, clientId, username } = run.names;
  const value = { username, keptUntil: addSeconds(run.ports.clock.now(), seconds(ownerSeconds)) };
  const put = await run.ports.store.putOwner(deploymentId, clientId, value, run.owner);
  run.owner = put.kind === 'changed' ? put.current : { value, revision: put.revision };
  return put.kind === 'changed' ? 'look again' : 'done';
}

/** The atomic step: counted or not. `written` is this attempt's record, over `replaced`. */
async function count(run: Run, written: Stored<Session>, replaced: Stored<Session> | undefined): Promise<Step> {
  const { by, ports } = run;
  // Only a fault leaves a connected or retained session uncounted. It is a live session all the same (S3).
  if (by.kind === 'forced' || written.value.phase.kind !== 'new') {
    if ((await countForced(ports, written)) === 'counted') return admitted(run, true);
    await readAgain(run);
    return 'look again';
  }
  const counted = await countNewcomer(ports, {
    stored: written,
    isMet: replaced !== undefined,
    max: by.max,
    checkTime: () => checkTime(run),
    readLimit: (askedAt) => readLimit(by, askedAt),
    reclaim: (seen) => {
      run.roster = seen;
      return reclaim(run, by);
    },
  });
  run.session = counted.kind === 'changed' ? counted.current : counted.stored;
  if (counted.kind === 'changed') return 'look again';
  if (counted.kind === 'counted') return admitted(run, !counted.isNew);
  return rollBack(run, counted.stored, replaced, counted.kind === 'blocked' ? 'blocked' : 'quota_exceeded');
}

/** The username has no room: the record that was there comes back, or the new one is removed. */
async function rollBack(
  run: Run,
  written: Stored<Session>,
  replaced: Stored<Session> | undefined,
  reason: 'blocked' | 'quota_exceeded',
): Promise<Step> {
  const { store } = run.ports;
  // An attempt that was met may still be counted, by its own CONNECT. A tombstone is needed for late events.
  if (replaced !== undefined) {
    const back = replaced.value.phase.kind === 'ended' ? settleSession(replaced.value) : replaced.value;
    const put = await store.putSession(back, written);
    run.session = put.kind === 'changed' ? put.current : put;
  } else {
    // If another process met the attempt meanwhile, this is refused, and the record is that process's.
    await store.removeSession(run.names, written);
    await readAgain(run);
  }
  // A client let in without a count was counted on this record meanwhile: it is a session of its own (S3).
  const now = liveSession(run)?.value;
  return now?.recounted === true && isSamePlace(now.place, written.value.place) ? 'look again' : rejected(reason);
}

/**
 * Before a rejection: takes this attempt out of those that may be on their way, where another CONNECT has met its record.
 * If this fails, the end of that CONNECT's session waits a while for an attempt that never comes.
 */
async function withdraw(run: Run): Promise<void> {
  const { attempt } = run.admission;
  try {
    for (let tries = 0; tries < maxRounds && run.session !== undefined; tries++) {
      const arrived = noteArrival(run.session.value, attempt);
      if (arrived === run.session.value) return;
      const put = await run.ports.store.putSession(arrived, run.session);
      if (put.kind === 'done') return;
      run.session = put.current;
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}

function admitted(run: Run, reconnect: boolean): AdmitDecision {
  return { kind: 'admitted', attempt: run.admission.attempt, reconnect };
}

function rejected(reason: 'blocked' | 'quota_exceeded' | 'client_id_held'): AdmitDecision {
  return { kind: 'rejected', reason };
}
