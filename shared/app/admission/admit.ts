// Admission: the one use case that everything else serves (S3, S4, S9, S11, S12). It comes after credentials.
//
// A new session takes three writes: first the session item of an attempt that is not counted yet, then, side by side,
// the owner of the client id and the roster, which decides. Dying between any two leaves at most an attempt whose lease
// leads the sweeper to it; nobody is let in here who is not counted. ADR 1 has the alternatives.

import { ownerSeconds, ttlGraceSeconds } from '../../config/constants.ts';
import type { AttemptId } from '../../domain/ids.ts';
import { decideLimit, type EffectiveLimit, maxSessions } from '../../domain/limit.ts';
import { isSamePlace } from '../../domain/place.ts';
import { meetSession, noteArrival, startSession } from '../../domain/session/attempt.ts';
import { freeSession, settleSession } from '../../domain/session/outcome.ts';
import { type Admission, isLive, type Policy, type Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import type { ConnectView, Owner } from '../../ports/admission/owners.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { contended, StoreUnavailable } from '../../ports/common/errors.ts';
import type { Random } from '../../ports/common/random.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Roster } from '../../ports/counter/counter.ts';
import type { Broker } from '../../ports/presence/broker.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import { type OtherHolder, readOtherHolder } from '../common/other-holder.ts';
import { commit, countAgain, isCounted, isSeenCounted, uncountOver } from '../counter/commit.ts';
import { countNewcomer, mayHaveRoom } from '../counter/count-newcomer.ts';
import { freeDue } from '../counter/free-due.ts';
import type { SettingsCache } from '../settings/settings-cache.ts';
import { takeOver } from './takeover.ts';

export interface AdmitPorts {
  readonly settings: Pick<SettingsCache, 'getNewer'>;
  readonly store: SessionStore;
  /** Ends what another username has under a client id (S9). */
  readonly broker: Pick<Broker, 'deleteConnection'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
  /** What one CONNECT may take, from its receipt; what is not decided by then is unavailable. */
  readonly budgetMs: number;
}

export type AdmitRequest = Names &
  Omit<Admission, 'attempt' | 'at'> & {
    /** When the CONNECT came: what it may take runs from there. */
    readonly receivedAt: Ms;
  };

export type AdmitDecision =
  | {
      readonly kind: 'admitted';
      readonly attempt: AttemptId;
      readonly reconnect: boolean;
      /** Not counted yet (S17). */
      readonly uncounted?: true;
      /** Whose client id it was is not known, so nothing of it may be inherited (S9). Only where it is not counted yet. */
      readonly mustCleanStart?: true;
    }
  | { readonly kind: 'rejected'; readonly reason: 'blocked' | 'quota_exceeded' | 'client_id_held' };

/** Rounds of "somebody wrote first, look again" before the answer is unavailable; contention is never told as quota. */
const maxRounds = 12;

/** Throws StoreUnavailable where the database does not answer, or others keep writing the same items. */
export async function admit(
  ports: AdmitPorts,
  settings: ConnectSettings,
  request: AdmitRequest,
): Promise<AdmitDecision> {
  const { view, limit } = await look(ports, settings, request);
  if (limit.kind === 'blocked') return { kind: 'rejected', reason: 'blocked' };
  return new AdmissionRun(ports, settings, request, limit, view).decide();
}

async function look(
  { store }: AdmitPorts,
  settings: ConnectSettings,
  request: AdmitRequest,
): Promise<{ readonly view: ConnectView; readonly limit: EffectiveLimit }> {
  // Where nothing is enforced, neither list says anything.
  const enforced = settings.limit?.enabled === true ? settings.limit : undefined;
  const view = await store.readForConnect(request, {
    whitelistId: enforced?.whitelistId,
    overridesOf: enforced?.mayHaveOverrides === true ? enforced.generation : undefined,
    limit: enforced?.maxSessionsPerUsername ?? Number.POSITIVE_INFINITY,
  });
  return { view, limit: decideLimit(settings.limit, view.whitelisted, view.override) };
}

/** One CONNECT's way through the rounds. What was last seen lives here; nothing of it outlives the answer. */
class AdmissionRun {
  private readonly ports: AdmitPorts;
  private settings: ConnectSettings;
  private readonly request: AdmitRequest;
  private max: number;
  private readonly admission: Admission;
  private session: Stored<Session> | undefined;
  /** The record as this attempt wrote it last: what giveBack frees, where the client id has gone to somebody else. */
  private begun: Stored<Session> | undefined;
  private owner: Stored<Owner> | undefined;
  private roster: Roster;
  /** The roster has been read consistently since the last thing that may have changed it. */
  private rosterIsExact: boolean;

  constructor(
    ports: AdmitPorts,
    settings: ConnectSettings,
    request: AdmitRequest,
    limit: EffectiveLimit,
    view: ConnectView,
  ) {
    this.ports = ports;
    this.settings = settings;
    this.request = request;
    this.max = maxSessions(limit);
    this.admission = { ...request, attempt: ports.random.attemptId(), at: ports.clock.now() };
    this.session = view.session;
    this.owner = view.owner;
    this.roster = view.roster;
    this.rosterIsExact = view.rosterIsExact;
  }

  async decide(): Promise<AdmitDecision> {
    for (let round = 0; round < maxRounds; round++) {
      this.checkTime();
      const met = this.liveSession();
      const decision = met === undefined ? await this.begin() : await this.meet(met);
      if (decision !== 'look again') {
        if (decision.kind === 'rejected') await this.withdraw();
        return decision;
      }
      this.rosterIsExact = false;
    }
    throw contended('others kept writing the items of this client id');
  }

  /**
   * Before a rejection: takes this attempt out of those that may be on their way (`underway`), where others have met what
   * it had begun. If this fails they wait for it a while.
   */
  private async withdraw(): Promise<void> {
    const { attempt } = this.admission;
    try {
      for (let tries = 0; tries < maxRounds && this.session?.value.underway?.includes(attempt); tries++) {
        const put = await this.ports.store.putSession(noteArrival(this.session.value, attempt), this.session);
        if (put.kind === 'done') return;
        this.session = put.current;
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  private liveSession(): Stored<Session> | undefined {
    return this.session !== undefined && isLive(this.session.value, this.now()) ? this.session : undefined;
  }

  /** Who waits for an answer waits no longer; what has been written of the attempt is left to the lease. */
  private checkTime(): void {
    if (this.now() - this.request.receivedAt > this.ports.budgetMs) throw contended('out of time');
  }

  private now(): Ms {
    return this.ports.clock.now();
  }

  /** The client id has a live session of this username: nothing new to count, also at the limit (S3). */
  private async meet(met: Stored<Session>): Promise<AdmitDecision | 'look again'> {
    const other = await this.otherHolder();
    if (other === 'refuse') return { kind: 'rejected', reason: 'client_id_held' };
    if (met.value.holding === 'new' && !isSeenCounted(this.roster, met.value)) {
      // An attempt that is not counted is nobody's session yet: without room, there is none for this one either.
      const room = await this.hasRoom();
      if (!room && !(await this.isCounted(met.value))) {
        // It may have been counted, and another have come in its place, since it was read: nobody is turned away from
        // a session of its own (S3).
        this.session = await this.ports.store.readSession(this.request);
        if (this.session?.revision === met.revision && !(await this.wasCountedUncapped(met.value)))
          return { kind: 'rejected', reason: 'quota_exceeded' };
      }
      if (this.session?.revision !== met.revision) return 'look again';
    }
    if ((await this.endOther(other)) === 'look again') return 'look again';
    const next = meetSession(met.value, this.admission, this.ports.policy, other.changed);
    // Whose client id it is was read as it stood a moment ago, and what a lane holds was not read at all; side by side, to
    // make sure costs no time.
    const { deploymentId, clientId } = this.request;
    const [put, owner, counted] = await Promise.all([
      this.ports.store.putSession(next, met),
      this.ports.store.readOwner(deploymentId, clientId),
      this.isCounted(met.value),
    ]);
    const sameOwner = owner?.revision === this.owner?.revision;
    this.owner = owner;
    if (put.kind === 'changed') {
      this.session = put.current;
      return 'look again';
    }
    if (!sameOwner) {
      this.session = { value: next, revision: put.revision };
      return 'look again';
    }
    // Invariant: of two usernames that find a client id free at once, one is admitted.
    // Race: what was met may be a new attempt that has not claimed the client id yet. Then the other username has not seen
    // it, and only a write of the owner stops that one.
    // On crash: the attempt is counted until its lease.
    const isClaimed = met.value.holding !== 'new' && this.ownsFor(next.countsUntil);
    if (!isClaimed && (await this.own()) === 'look again') {
      this.session = { value: next, revision: put.revision };
      return 'look again';
    }
    // A place seen in the roster stays there while the session is not freed, and this write proves that it was not.
    if (counted) return this.admitted(true);
    return this.count({ value: next, revision: put.revision }, met);
  }

  private async begin(): Promise<AdmitDecision | 'look again'> {
    const { store, random, policy } = this.ports;
    const other = await this.otherHolder();
    if (other === 'refuse') return { kind: 'rejected', reason: 'client_id_held' };
    if (!(await this.hasRoom())) {
      // Not seen in the first reading, which may lag, is not proof that it is new: nobody is turned away from a session
      // of its own (S3).
      this.session = await store.readSession(this.request);
      if (this.liveSession() === undefined) return { kind: 'rejected', reason: 'quota_exceeded' };
    }
    if (this.liveSession() !== undefined) return 'look again';
    if ((await this.endOther(other)) === 'look again') return 'look again';
    if ((await this.settleBefore()) === 'look again') return 'look again';

    const before = this.session;
    const place = store.placeFor(this.request, random.place(), this.roster, this.max);
    const next = startSession(this.request, place, this.admission, policy, before?.value, other.changed);
    const put = await store.putSession(next, before);
    if (put.kind === 'changed') {
      this.session = put.current;
      return 'look again';
    }
    this.begun = { value: next, revision: put.revision };
    // Side by side, to save one way to the database: the session is there already, so whoever takes the client id next
    // sees it, and a place counted for nothing is given back.
    const [own, decision] = await Promise.all([this.own(), this.count(this.begun, before)]);
    if (own === 'done') return decision;
    if (decision !== 'look again' && decision.kind === 'admitted') await this.giveBack(this.begun);
    return 'look again';
  }

  /** Somebody else took the client id in between: this attempt steps back and looks who holds it now. */
  private async giveBack(stored: Stored<Session>): Promise<void> {
    const { store } = this.ports;
    await commit(this.ports, stored, freeSession(stored.value, { owes: true }));
    this.session = await store.readSession(this.request);
  }

  /** The client id is this username's, and is remembered to be beyond the end of the session. */
  private ownsFor(countsUntil: Ms): boolean {
    const owner = this.owner?.value;
    return (
      owner?.username === this.request.username && owner.keptUntil > addSeconds(countsUntil, seconds(ttlGraceSeconds))
    );
  }

  private async own(): Promise<'look again' | 'done'> {
    const { deploymentId, clientId, username } = this.request;
    const value = { username, keptUntil: addSeconds(this.now(), seconds(ownerSeconds)) };
    const put = await this.ports.store.putOwner(deploymentId, clientId, value, this.owner);
    this.owner = put.kind === 'changed' ? put.current : { value, revision: put.revision };
    return put.kind === 'changed' ? 'look again' : 'done';
  }

  /** The atomic step: counted or not. `written` is this attempt's record, over `replaced`. */
  private async count(written: Stored<Session>, replaced?: Stored<Session>): Promise<AdmitDecision | 'look again'> {
    const counted = await countNewcomer(this.ports, {
      stored: written,
      isMet: replaced !== undefined,
      max: this.max,
      checkTime: () => this.checkTime(),
      readLimit: async (askedAt) => {
        const limit = await this.readLimit(askedAt);
        return limit.kind === 'blocked' ? 'blocked' : this.max;
      },
      reclaim: (seen) => {
        this.roster = seen;
        return this.reclaim();
      },
    });
    if (counted.kind === 'changed') {
      this.session = counted.current;
      return 'look again';
    }
    const { stored } = counted;
    this.begun = stored;
    if (counted.kind === 'counted') return this.admitted(!counted.isNew);
    const reason = counted.kind === 'blocked' ? 'blocked' : 'quota_exceeded';
    return this.rollBack(stored, replaced, reason);
  }

  /** The username has no room: the record becomes what it was. */
  private async rollBack(
    stored: Stored<Session>,
    replaced: Stored<Session> | undefined,
    reason: 'blocked' | 'quota_exceeded',
  ): Promise<AdmitDecision | 'look again'> {
    const { store } = this.ports;
    // Connected or retained, and not in the roster: only a fault leaves that behind. It is a live session all the same
    // (S3), so it is counted, over the limit if need be.
    if (stored.value.holding !== 'new' && reason !== 'blocked') {
      if ((await countAgain(store, stored.value)) !== 'gone') return this.admitted(true);
      this.session = await store.readSession(this.request);
      return 'look again';
    }
    // What stood there before gets its place back: an attempt that was met may be counted yet, by its own CONNECT, and a
    // tombstone is what late events are read by.
    if (replaced !== undefined) {
      const back = replaced.value.holding === 'freed' ? settleSession(replaced.value) : replaced.value;
      const put = await store.putSession(back, stored);
      if (put.kind === 'changed') this.session = put.current;
    } else await this.undo(stored);
    // A client let in without a count was counted on this record meanwhile: it is a session of its own (S3).
    const now = this.liveSession()?.value;
    if (now?.recounted === true && isSamePlace(now.place, stored.value.place)) return 'look again';
    return { kind: 'rejected', reason };
  }

  /**
   * Others hold the roster against another limit: settings are held for some seconds, so theirs may be the newer ones, or
   * these. Who has just read them holds the roster against its own.
   */
  private async readLimit(askedAt: Ms): Promise<EffectiveLimit> {
    const settings = await this.ports.settings.getNewer(this.request.deploymentId, this.settings, askedAt);
    if (settings === undefined) throw contended('the deployment has gone');
    this.settings = settings;
    const { limit } = await look(this.ports, settings, this.request);
    this.max = maxSessions(limit);
    return limit;
  }

  private isCounted(session: Session): Promise<boolean> {
    return isCounted(this.ports.store, this.roster, session);
  }

  /** A client that was let in without a count is counted whatever the limit, and its record stays as it is (S17). */
  private async wasCountedUncapped(session: Session): Promise<boolean> {
    return session.recounted && (await this.ports.store.holds(session));
  }

  /** Looks before writing, so that a storm of rejections costs no writes. Only a consistent reading says "full". */
  private async hasRoom(): Promise<boolean> {
    if (this.roster.used < this.max) return true;
    const { deploymentId, username } = this.request;
    if (!this.rosterIsExact) this.roster = await this.ports.store.peekRoster(deploymentId, username);
    if (mayHaveRoom(this.roster, this.max)) return true;
    return (await this.reclaim()) && mayHaveRoom(this.roster, this.max);
  }

  /** Frees the username's own expired sessions within this CONNECT (S11). True if it freed any. */
  private async reclaim(): Promise<boolean> {
    const { deploymentId, username } = this.request;
    if (this.roster.wakeAt === undefined || this.roster.wakeAt > this.now()) return false;
    let freed = 0;
    // Until there is room or nothing is left to look at: entries that came too early may stand before the expired ones.
    for (let room = false, more = true; more && !room; room = mayHaveRoom(this.roster, this.max)) {
      this.checkTime();
      const page = await freeDue(this.ports, deploymentId, username, { limit: 25, seen: this.roster });
      freed += page.freed;
      more = page.more;
      if (page.freed > 0) this.roster = await this.ports.store.peekRoster(deploymentId, username);
    }
    if (freed === 0) return false;
    // The own session of this client id may have been among them.
    this.session = await this.ports.store.readSession(this.request);
    return true;
  }

  /**
   * What stood here before is over, but its place may still be counted: an expired session nobody swept, or a
   * tombstone whose freeing died halfway. Settled first, because the new record forgets the old place.
   */
  private async settleBefore(): Promise<'look again' | undefined> {
    if (this.session === undefined) return undefined;
    this.session = await uncountOver(this.ports, this.session, this.roster);
    return this.session === undefined ? 'look again' : undefined;
  }

  /** S9: what another username has under the client id, which it holds, or held last; `refuse` where that may not be taken. */
  private async otherHolder(): Promise<OtherHolder | 'refuse'> {
    const isOwn = this.owner === undefined || this.owner.value.username === this.request.username;
    if (isOwn) return { owner: this.owner, changed: false, record: undefined };
    // The first reading may lag, and by an owner of long ago no session is to be ended.
    const other = await readOtherHolder(this.ports.store, this.request);
    this.owner = other.owner;
    const isHeld = other.record !== undefined && isLive(other.record.value, this.now());
    return isHeld && this.settings.deployment.clientIdTakeover !== 'allow' ? 'refuse' : other;
  }

  /** S9: only a newcomer that nothing else stands in the way of ends what the other username has. */
  private async endOther({ record }: OtherHolder): Promise<'look again' | 'over'> {
    if (record === undefined) return 'over';
    const { deploymentId, clientId } = this.request;
    const ended = await takeOver(this.ports, deploymentId, clientId, record);
    if (ended === 'unavailable') throw contended("another username's session could not be ended");
    this.checkTime();
    return ended === 'changed' ? 'look again' : 'over';
  }

  /** Takes an attempt back that was never counted. If somebody met it meanwhile, it is theirs now. */
  private async undo(stored: Stored<Session>): Promise<void> {
    const { store } = this.ports;
    await store.removeSession(this.request, stored);
    this.session = await store.readSession(this.request);
  }

  private admitted(reconnect: boolean): AdmitDecision {
    return { kind: 'admitted', attempt: this.admission.attempt, reconnect };
  }
}
