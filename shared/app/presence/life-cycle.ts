// What happens to admitted sessions, told by the front door or by broker events, late, twice, lost or out of order.
// The rules are numbered as in ARCHITECTURE.md, "How events are read".

import { sessionExpirySecondsMax } from '../../config/constants.ts';
import { toBrokerClientId } from '../../domain/ids.ts';
import {
  abandonAttempt,
  arrivedBy,
  awaitProof,
  awaitsProof,
  type Confirmation,
  closePair,
  confirmSession,
  connectedSince,
  connectGraceSeconds,
  countStrange,
  doubtAttempt,
  dropAttempt,
  type Ending,
  endAttempt,
  endedSince,
  endSession,
  extendLease,
  freeSession,
  hastenLease,
  haveAllArrived,
  isClosed,
  isFromBefore,
  isLive,
  isOnItsWay,
  isSameConnection,
  lateConnectSeconds,
  mayBeIts,
  noteArrival,
  noteEnding,
  outlast,
  outlive,
  overlapTold,
  overlapUnknown,
  type Policy,
  recountSession,
  type Session,
  samePair,
  staleEventSeconds,
  strangeUntil,
} from '../../domain/session.ts';
import { addSeconds, later, type Ms, seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Random } from '../../ports/common/random.ts';
import type { Names, SessionStore, Stored } from '../../ports/counter/sessions.ts';
import type { Broker, BrokerSays } from '../../ports/presence/broker.ts';
import type { DoorReport } from '../../ports/presence/presence.ts';
import { commit, complete } from '../counter/commit.ts';
import type { AccountExpiry } from './account-expiry.ts';
import type { BrokerEvent } from './broker-event.ts';

export interface LifeCyclePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: Broker;
  readonly policy: Policy;
}

export interface ReportPorts extends LifeCyclePorts {
  /** Without it the broker is asked at every end of a persistent session of MQTT 3. */
  readonly accountExpiry?: AccountExpiry;
}

/** `later`: it cannot be told yet; the message is to be delivered again after some seconds. */
export type Applied = 'done' | 'later';

/** What a decision makes of a record: a next record to write, or a question for the broker, or nothing. */
type Step =
  | { readonly next: Session }
  | 'ask the broker'
  /** Ask whether the connection is there that was made then. */
  | { readonly since: Ms }
  /** Ask, and write this record where the broker cannot say. */
  | { readonly orElse: Session }
  /** Ask, and keep what this record knows, also where nothing can be told yet. */
  | { readonly knowing: Session; readonly since?: Ms; readonly over?: Over }
  | 'later'
  | 'nothing';

/** What any of those that ask may say besides. */
interface Question {
  readonly orElse?: Session;
  readonly knowing?: Session;
  readonly since?: Ms;
  readonly over?: Over;
}

/** The connection that the record knows is over, and the broker is asked what it keeps of the session. */
interface Over {
  /** The client asked for that: what the broker keeps nevertheless is ended. */
  readonly endsSession: boolean;
}

const maxRounds = 16;

export async function applyDoorReport(ports: ReportPorts, report: DoorReport): Promise<Applied> {
  if (report.uncounted === true) {
    const seen = await ports.store.readSession(report);
    if (isAwaited(seen?.value, report, ports.clock.now())) return 'later';
  }
  if (report.type === 'door.disconnected' && report.expiryIsAccounts === true) return applyAccountsEnd(ports, report);
  return change(ports, report, (session, now) => readReport(session, report, ports, now));
}

/** The end of a persistent session of MQTT 3: for how long it is kept is the account's one number (S10). */
async function applyAccountsEnd(
  ports: ReportPorts,
  report: DoorReport & { readonly type: 'door.disconnected' },
): Promise<Applied> {
  const { accountExpiry } = ports;
  const { expiryIsAccounts: _, ...told } = report;
  const expirySeconds = await accountExpiry?.expiryOf(report.attempt);
  const known: DoorReport = expirySeconds === undefined ? report : { ...told, expirySeconds };
  let says: BrokerSays | undefined;
  const listening: Broker = {
    ...ports.broker,
    getConnection: async (id) => {
      says = await ports.broker.getConnection(id);
      return says;
    },
  };
  const heard = { ...ports, broker: listening };
  const applied = await change(heard, report, (session, now) => readReport(session, known, heard, now));
  if (says !== undefined && accountExpiry !== undefined)
    await accountExpiry.learn(report.attempt, says, (await ports.store.readSession(report))?.value);
  return applied;
}

/** For as long as a queue goes on delivering a message that is not taken. */
const awaitedSeconds = seconds(600);

/** A report of an attempt that is not counted yet: its own message comes, and without it this one would find nothing. */
function isAwaited(session: Session | undefined, report: DoorReport, now: Ms): boolean {
  if (addSeconds(report.at, awaitedSeconds) < now) return false;
  if (session === undefined) return true;
  const { attempt, confirmedAttempt, overAttempt, knownUncounted = [], admittedAt } = session;
  const known = [attempt, confirmedAttempt, overAttempt, ...knownUncounted];
  return !known.includes(report.attempt) && admittedAt <= report.at;
}

/** `doorSilent`: the front door has had its time to report the end of the connection, and has not. */
export async function applyBrokerEvent(
  ports: LifeCyclePorts,
  event: BrokerEvent,
  doorSilent = false,
): Promise<Applied> {
  const owner = await ports.store.readOwner(event.deploymentId, event.clientId);
  // A client id that was never admitted: not ours, or its tombstone has gone.
  if (owner === undefined) return 'done';
  const names = { deploymentId: event.deploymentId, clientId: event.clientId, username: owner.value.username };
  const seen = await ports.store.readSession(names);
  const truth = event.type === 'connected' ? await askAside(ports, seen) : undefined;
  return change(ports, names, (session, now) => readEvent(session, event, { truth, doorSilent }, ports, now), seen);
}

/**
 * No event tells the session expiry of a client that goes straight to the broker, nor exactly when it connected; the
 * broker does (S10). Undefined where it cannot be asked or need not: then what was admitted stands in.
 */
async function askAside(
  ports: LifeCyclePorts,
  stored: Stored<Session> | undefined,
): Promise<(BrokerSays & { readonly kind: 'connected' }) | undefined> {
  if (stored === undefined || stored.value.witness === 'door' || stored.value.leaseUntil === undefined)
    return undefined;
  const { deploymentId, clientId } = stored.value;
  const says = await ports.broker.getConnection(toBrokerClientId(deploymentId, clientId));
  return says.kind === 'connected' ? says : undefined;
}

/** `strange`: what the broker has there is too late for any admission that is known, and lives until then at most. */
type Heard = BrokerSays | { readonly kind: 'strange'; readonly until: Ms };

/** What the broker says of a session, made its record (S12, S13). Used by the sweeper and wherever events are unsure. */
function readTruth(
  session: Session,
  says: Heard,
  ports: Pick<LifeCyclePorts, 'policy' | 'random'>,
  now: Ms,
): Session | undefined {
  switch (says.kind) {
    case 'unknown':
      return undefined;
    case 'strange':
      // It proves nothing of an attempt; and what is freed waits for the message that is to come.
      if (session.holding === 'new' || session.holding === 'freed') return undefined;
      return countStrange(session, says.until, addSeconds(now, ports.policy.leaseSeconds));
    case 'absent': {
      // Nothing was there. Which attempts are over, that does not say: one may connect after all.
      const { overAttempt: _o, ...unheard } = session;
      return session.holding === 'freed' ? session : freeSession(unheard, { owes: true, findAt: now });
    }
    case 'retained': {
      // The broker forgets after half an hour when it was; what was known before is nearer the truth than now.
      const at = says.disconnectedAt ?? session.disconnectedAt ?? now;
      const expirySeconds = says.expirySeconds ?? session.expirySeconds;
      if (session.holding !== 'freed') return owing(endUnheard(session, { at, expirySeconds }, now), session, now);
      // When it was connected, the broker does not say.
      const told = { at, expirySeconds };
      const { connectedAt: _c, ...again } = recountSession(session, ports.random.place(), told, ports.policy);
      return owing(endUnheard({ ...again, admittedAt: session.admittedAt }, told, now), session, now);
    }
    case 'connected': {
      // Which connection it is, the broker does not say: from now on nothing frees it on an event alone.
      const since = says.since ?? now;
      // Known here only of the latest attempt.
      const attempt = session.confirmedAttempt === session.attempt ? session.attempt : undefined;
      const told: Confirmation = {
        at: since,
        expirySeconds: says.expirySeconds,
        ...(attempt === undefined ? {} : { attempt }),
      };
      if (session.holding === 'freed') return recountSession(session, ports.random.place(), told, ports.policy);
      // Where the front door has told so too, and nothing overlapped, it is this attempt's.
      const overlap = session.overlap || attempt === undefined;
      return confirmSession({ ...session, overlap, admittedAt: later(session.admittedAt, since) }, told, ports.policy);
    }
  }
}

/** The broker tells of a session that was retained, not of attempts: the latest may connect after all. */
function endUnheard(session: Session, ending: Ending, now: Ms): Session {
  const { overAttempt: _o, ...ended } = endSession(session, ending, now);
  return session.overAttempt === undefined ? ended : { ...ended, overAttempt: session.overAttempt };
}

/** No message may come again for it: a tombstone is found by its lease until its place is out of the roster. */
function owing(next: Session, before: Session, now: Ms): Session {
  return next.holding === 'freed' ? { ...next, owes: true, leaseUntil: before.leaseUntil ?? now } : next;
}

/** Reads, decides, and commits if nobody wrote in between. */
export async function change(
  ports: LifeCyclePorts,
  names: Names,
  decide: (session: Session, now: Ms) => Step,
  seen?: Stored<Session>,
): Promise<Applied> {
  const { store, clock } = ports;
  let stored = seen ?? (await store.readSession(names));
  for (let round = 0; round < maxRounds; round++) {
    if (stored === undefined) return 'done';
    let step = decide(stored.value, clock.now());
    let proven = false;
    if (step === 'later') return 'later';
    if (step === 'ask the broker' || (typeof step === 'object' && !('next' in step))) {
      const question: Question = step === 'ask the broker' ? {} : step;
      const { orElse, knowing: known = stored.value, since } = question;
      const over = question.over ?? (awaitsProof(known) ? { endsSession: false } : undefined);
      // What the broker says is as old as the question.
      const askedAt = clock.now();
      const heard = await askBroker(ports, stored.value, since);
      const says = over === undefined ? heard : await hearAfterEnd(ports, known, heard, over);
      const now = clock.now();
      const early = says.kind !== 'connected' && says.kind !== 'strange' && isOnItsWay(known, askedAt);
      const told = early ? undefined : readTruth(known, says, ports, now);
      const next = told ?? orElse ?? leaveToLease(known, early, ports.policy, now);
      if (next === undefined) return 'later';
      step = next === stored.value || isKnown(stored.value, says) ? 'nothing' : { next };
      proven = told !== undefined;
    }
    if (step === 'nothing') {
      await complete(ports, stored);
      return 'done';
    }
    const committed = await commit(ports, stored, step.next, { proven });
    if (committed.kind === 'done') return 'done';
    stored = committed.current;
  }
  return 'later';
}

/**
 * What the broker says of a session whose connection is known to be over. That it has the very connection still is old
 * news. A session that its client has given up, and that the broker keeps nevertheless, is ended there: that it has been
 * ended is the proof that less is kept than was granted (S10).
 */
async function hearAfterEnd(
  { broker, store }: Pick<LifeCyclePorts, 'broker' | 'store'>,
  session: Session,
  says: Heard,
  { endsSession }: Over,
): Promise<Heard> {
  if (says.kind === 'connected' && isSameConnection(session, says.since)) return { kind: 'unknown' };
  if (says.kind !== 'retained' || !endsSession) return says;
  const { deploymentId, clientId, username } = session;
  const owner = await store.readOwner(deploymentId, clientId);
  if (owner?.value.username !== username) return says;
  const ended = await broker.deleteConnection(toBrokerClientId(deploymentId, clientId), { cleanSession: true });
  return ended === 'unknown' ? says : { kind: 'absent' };
}

/**
 * Nobody can say now. No queue redelivers for ever, so the sweeper takes it over: the session goes on counting, and is
 * looked at again when it may be known. Undefined for a freed session, which counts nothing meanwhile.
 */
function leaveToLease(session: Session, early: boolean, policy: Policy, now: Ms): Session | undefined {
  if (session.holding === 'freed') return undefined;
  if (session.leaseUntil !== undefined && session.leaseUntil > now) return session;
  return extendLease(session, early ? later(arrivedBy(session.admittedAt), now) : addSeconds(now, policy.leaseSeconds));
}

/** The front door has told of this connection and will tell of its end: that the broker knows it too is no news. */
function isKnown(session: Session, says: Heard): boolean {
  if (session.witness !== 'door' || session.holding !== 'connected') return false;
  return says.kind === 'connected' && session.leaseUntil === undefined;
}

/**
 * The broker knows client ids, not usernames: of an id that may be another's too it is asked whose the connection can be
 * that it tells of, by the times at which each of them may have connected.
 */
async function askBroker(
  ports: Pick<LifeCyclePorts, 'store' | 'broker' | 'clock' | 'policy'>,
  session: Session,
  since?: Ms,
): Promise<Heard> {
  const { store } = ports;
  const { deploymentId, clientId } = session;
  const says = await ports.broker.getConnection(toBrokerClientId(deploymentId, clientId));
  if (says.kind === 'absent' || says.kind === 'unknown') return says;
  const owner = await readOtherOwner(store, session);
  if (owner === undefined) {
    if (isFromBefore(session, says)) return { kind: 'absent' };
    const until = strangeUntil(session, says, ports.policy, since);
    return until === undefined ? says : { kind: 'strange', until };
  }
  // Whoever took the client id over ended what was there first, so an attempt that nobody has confirmed never came to hold
  // it; but one of the two may have been let in without asking (S17).
  if (session.holding === 'new' && !session.recounted) {
    if (owner.knownUncounted === undefined || !(await store.holds(session))) return { kind: 'absent' };
  }
  const told = { ...says, askedAt: ports.clock.now() };
  const mine = mayBeIts(session, told);
  // Whose session is over makes no claim where somebody else's fits, be it that it came late.
  const within = session.holding === 'freed' ? lateConnectSeconds : connectGraceSeconds;
  const theirs = isLive(owner, told.askedAt) && mayBeIts(owner, told, within);
  if (theirs) return { kind: mine && session.holding !== 'freed' ? 'unknown' : 'absent' };
  if (mine) return says;
  return { kind: session.holding === 'freed' ? 'absent' : 'unknown' };
}

/** What the username has under this client id that it is by now, where that is another one. */
async function readOtherOwner(
  store: SessionStore,
  { deploymentId, clientId, username }: Session,
): Promise<Session | undefined> {
  const holder = (await store.readOwner(deploymentId, clientId))?.value.username;
  if (holder === undefined || holder === username) return undefined;
  return (await store.readSession({ deploymentId, clientId, username: holder }))?.value;
}

/** A connection that is told of counts for as long as it may last, also where its word does not decide. */
function readReport(session: Session, report: DoorReport, ports: LifeCyclePorts, now: Ms): Step {
  const step = readAttempt(session, report, ports, now);
  if (report.type !== 'door.connected' || typeof step !== 'object') return step;
  const counting = (next: Session): Session =>
    next.holding === 'freed' ? next : outlast(next, report.at, report.expirySeconds, ports.policy);
  if ('next' in step) return { next: counting(step.next) };
  return 'knowing' in step ? { ...step, knowing: counting(step.knowing) } : step;
}

/** The front door knows the attempt, so nothing is guessed, but which of two that overlapped reached the broker last. */
function readAttempt(session: Session, report: DoorReport, ports: LifeCyclePorts, now: Ms): Step {
  const latest = session.attempt === report.attempt;
  const pending = session.leaseUntil !== undefined;
  if (session.overAttempt === report.attempt) {
    if (pending && session.holding !== 'freed') return readOver(session, report);
    // Its word was not taken any more; if the broker has had a connection of it since, whether that has ended is its to say.
    const mayBeIt = session.holding === 'connected' && !pending && session.overlap;
    return report.type === 'door.disconnected' && mayBeIt ? 'ask the broker' : 'nothing';
  }
  switch (report.type) {
    case 'door.connected': {
      if (session.confirmedAttempt === report.attempt) return 'nothing';
      // Let in without a count, it was counted when another attempt was there already: by clocks that differ, the later.
      if (!latest && session.knownUncounted?.includes(report.attempt) === true)
        return { knowing: overlapUnknown(session) };
      // Freed or retained before this report came, on the broker's word or on another attempt's end: the CONNECT took
      // longer than its lease, or the report is late or a repetition. The broker knows which, of any attempt.
      if (session.holding === 'freed' || (session.holding === 'retained' && !pending)) return { since: report.at };
      if (!latest) return readOlder(session, report);
      const told = { at: report.at, expirySeconds: report.expirySeconds, attempt: report.attempt };
      // The end that the broker told may be this connection's own: it has come and gone, or another has. Of one that was
      // let in without a count the end may have been told before there was a record to read it by.
      if (pending && (session.endHeard === true || report.uncounted === true))
        return { knowing: { ...session, confirmedAttempt: report.attempt }, since: report.at };
      // Or the broker has told of the connection before the front door did: from now on its attempt is known.
      return { next: confirmSession(session, told, ports.policy) };
    }
    case 'door.failed':
      if (!latest) return report.unsent === true ? readArrival(session, report) : 'nothing';
      if (!pending || session.holding === 'freed') return 'nothing';
      // The attempt it overlapped may be a connection by now: the lease finds out.
      if (session.overlap) return report.unsent === true ? readLast(session) : { next: doubtAttempt(session) };
      if (session.holding === 'connected' && session.ended?.unproven === true)
        return { knowing: awaitProof(dropAttempt(session), session.ended) };
      return { next: abandonAttempt(session, now) };
    case 'door.disconnected':
      return readEnd(session, report, ports.policy, now);
  }
}

/**
 * Of an attempt whose word is not taken any more, because a kick met it on its way: that it has been at the broker, or never
 * was sent, still counts, and then the broker's word is a proof.
 *
 * Invariant: no session is freed while an attempt of it may be on its way.
 * Race: a question asked before the connection was made must not be answered over it, so its report writes the record.
 * On crash: the report comes again; without it the lease asks.
 */
function readOver(session: Session, report: DoorReport): Step {
  const isTold = report.type !== 'door.failed' || report.unsent === true;
  const arrived = isTold ? noteArrival(session, report.attempt) : session;
  if (report.type === 'door.connected') return { next: arrived };
  if (isTold && haveAllArrived(arrived)) return { knowing: arrived };
  return arrived === session ? 'nothing' : { next: arrived };
}

/**
 * An attempt that is not the latest has become a connection.
 *
 * Invariant: a connection that replaced the known one counts after the known one has ended.
 * Race: the CONNECT came after its lease, when a newer attempt had a record of its own. The end of the newer one frees
 * nothing without the broker's word from here on.
 * On crash: the report comes again.
 */
function readOlder(session: Session, report: DoorReport): Step {
  if (session.underway?.includes(report.attempt) === true) return readArrival(session, report);
  if (connectedSince(session, report.at)) return 'nothing';
  // Where that is known already, the record is written all the same: a question asked before is asked again.
  return { next: session.overlap ? session : overlapTold(session) };
}

/** An attempt that another has overlapped has been a connection: it is not on its way any more. */
function readArrival(session: Session, { attempt }: DoorReport): Step {
  const arrived = noteArrival(session, attempt);
  if (arrived === session || session.holding === 'freed') return 'nothing';
  // The end of the latest was told before: that nothing is there was not to be believed then.
  return arrived.overAttempt === arrived.attempt && haveAllArrived(arrived) ? { knowing: arrived } : { next: arrived };
}

/** The latest attempt is over while it was pending; the broker is asked as soon as none of the others is on its way. */
function readLast(session: Session): Step {
  const ended = endAttempt(session);
  return haveAllArrived(ended) ? { knowing: ended } : { next: ended };
}

function readEnd(stored: Session, report: DoorReport & { type: 'door.disconnected' }, policy: Policy, now: Ms): Step {
  const session = noteArrival(stored, report.attempt);
  const confirmed = session.confirmedAttempt === report.attempt;
  const { at, expirySeconds, changedToSeconds } = report;
  // What no packet tells for certain the broker is asked; until it answers, the longest counts (S10).
  const isUnproven = changedToSeconds !== undefined || report.expiryIsAccounts === true;
  const ending: Ending = { at, expirySeconds, ...(isUnproven ? { unproven: true } : {}) };
  const over: Over = { endsSession: changedToSeconds === 0 };
  if (session.holding === 'freed') return 'nothing';
  if (session.leaseUntil !== undefined) {
    const latest = session.attempt === report.attempt;
    if (confirmed && (!latest || session.overlap)) {
      const noted = noteEnding(session, ending, undefined);
      return latest && haveAllArrived(session) ? { knowing: noted } : { next: noted };
    }
    if (!latest) return readArrival(stored, report);
    // Its `connected` report is late or lost; a connection that ended has been one.
    if (session.overlap) return readLast(outlive(session, ending));
    if (!isUnproven) return { next: endSession(session, ending, now) };
    const told: Confirmation = { at: session.admittedAt, expirySeconds, attempt: report.attempt };
    const known = awaitProof(confirmSession(session, told, policy), ending);
    return { knowing: { ...known, overAttempt: report.attempt }, over };
  }
  if (session.holding !== 'connected') return 'nothing';
  // Whether it is this connection that the session holds, or one that came before or after it, the broker knows.
  if (session.overlap) {
    const latest = session.attempt === report.attempt;
    return { knowing: latest ? { ...session, overAttempt: report.attempt } : session };
  }
  if (!confirmed) return 'nothing';
  if (!isUnproven) return { next: endSession(session, ending, now) };
  return { knowing: { ...awaitProof(session, ending), overAttempt: report.attempt }, over };
}

interface Aside {
  /** What the broker told when it was asked about a `connected`. */
  readonly truth: (BrokerSays & { readonly kind: 'connected' }) | undefined;
  readonly doorSilent: boolean;
}

function readEvent(session: Session, event: BrokerEvent, aside: Aside, ports: LifeCyclePorts, now: Ms): Step {
  // Known to be over, and nothing pending that it could be taken for: it comes again.
  if (event.type !== 'connect_failed' && session.leaseUntil === undefined && isClosed(session, event.pair))
    return 'nothing';
  // Rule 5: what is older than an hour (a replayed dead-letter queue) is settled by asking the broker only.
  if (addSeconds(event.at, staleEventSeconds) < now)
    return session.holding === 'freed' && event.type !== 'connected' ? 'nothing' : 'ask the broker';
  switch (event.type) {
    case 'connected':
      return readConnected(session, event, aside, ports);
    case 'disconnected':
      return readDisconnected(session, event, aside, now);
    case 'connect_failed':
      // Rule 6: it has no version, and a stranger can provoke it. The lease is checked at once, nothing is freed on it.
      return session.witness === 'door' ? 'nothing' : doubtful(session);
  }
}

function readConnected(
  session: Session,
  event: BrokerEvent & { type: 'connected' },
  { truth }: Aside,
  ports: LifeCyclePorts,
): Step {
  const { pair, ipAddress } = event;
  if (samePair(session.pair, pair)) return 'nothing';
  if (session.witness === 'door' && session.holding !== 'freed') return readBeside(session, event);
  const told: Confirmation = {
    ...(truth?.since === undefined ? { at: event.at, unsure: true } : { at: truth.since }),
    expirySeconds: truth?.expirySeconds,
    pair,
    ...(ipAddress === undefined ? {} : { ipAddress }),
  };
  if (isClosed(session, pair)) return doubtful(session);
  // Rule 4: counted again from its tombstone, over the limit if need be, if the broker says so too: the event may have
  // come twice, or after its own `disconnected`. The front door's own reports are exact, so only this very connection is
  // of interest behind it.
  if (session.holding === 'freed') return session.witness === 'door' ? { since: event.at } : 'ask the broker';
  if (session.leaseUntil !== undefined) {
    // Or another attempt's? The broker's word confirms then. And of one that was let in without a count the end may have been told before.
    const isCounted = session.knownUncounted?.includes(session.attempt) !== true;
    // Nor is one of long before the admission its own: somebody had the client id who was let in without a count.
    const isOld = addSeconds(event.at, lateConnectSeconds) < session.admittedAt;
    const isSure = !session.overlap && isCounted && !isOld;
    return isSure && (truth === undefined || strangeUntil(session, truth, ports.policy) === undefined)
      ? { next: confirmSession(session, told, ports.policy) }
      : 'ask the broker';
  }
  if (session.holding === 'connected' && session.pair === undefined) return { next: { ...session, pair } };
  // Neither the connection known nor one admitted since: late, or its admission's other events were lost.
  return 'ask the broker';
}

/**
 * The front door tells what becomes of its attempts, so a `connected` of the broker is news only of a client that goes
 * straight to the broker besides.
 *
 * Invariant: a connection that came over a retained session counts beyond the expiry of that session.
 * Race: a question asked before the connection was made is asked again, because the record is written.
 * On crash: the event comes again.
 */
function readBeside(session: Session, { pair, at }: BrokerEvent & { type: 'connected' }): Step {
  if (isClosed(session, pair)) return 'nothing';
  if (session.holding === 'retained' && session.leaseUntil === undefined)
    return endedSince(session, at) ? 'nothing' : 'ask the broker';
  return session.overlap ? { next: session } : 'nothing';
}

/** The lease is brought forward, no further than a CONNECT may take that is still on its way to the broker. */
function doubtful(session: Session): Step {
  const next = hastenLease(session);
  return next === session ? 'nothing' : { next };
}

function readDisconnected(
  session: Session,
  event: BrokerEvent & { type: 'disconnected' },
  { doorSilent }: Aside,
  now: Ms,
): Step {
  const { pair, reason } = event;
  // A DISCONNECT may have made it longer, and no event tells that; an expiry that was 0 stays 0 [MQTT-3.14.2-2].
  const keepsNothing = session.expiryTold === true && session.expirySeconds === 0 && !session.overlap;
  const ending: Ending = keepsNothing
    ? { at: event.at, expirySeconds: session.expirySeconds }
    : { at: event.at, expirySeconds: seconds(sessionExpirySecondsMax), unproven: true };
  if (session.holding === 'freed' || session.holding === 'retained') {
    if (session.leaseUntil === undefined && session.witness === 'door') return 'nothing';
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  }
  if (session.witness === 'door') {
    // The front door reports the end by itself, and more exactly. If it has died, the broker is asked in the end.
    // While an attempt is pending its lease will tell, and asking now would take the door's word from it.
    if (session.leaseUntil !== undefined)
      return isClosed(session, pair) ? 'nothing' : { next: { ...closePair(session, pair), endHeard: true } };
    return doorSilent ? 'ask the broker' : 'later';
  }
  const mine = samePair(session.pair, pair);
  // Rule 2: while an attempt is pending, nothing frees.
  if (session.leaseUntil !== undefined) {
    if (isClosed(session, pair)) return 'nothing';
    return { next: mine ? noteEnding(session, ending, pair) : closePair(session, pair) };
  }
  if (!mine && session.pair !== undefined && !session.overlap)
    return isClosed(session, pair) ? 'nothing' : { next: closePair(session, pair) };
  // Rule 3, and only if no other attempt's events can have been taken for this one's.
  if (isClosed(session, pair)) return 'nothing';
  if (!mine || session.overlap) return { knowing: outlive(closePair(session, pair), ending) };
  // Thrown out by a connection that its record does not know.
  if (reason === 'DUPLICATE_CLIENTID') return { knowing: closePair(session, pair) };
  if (keepsNothing) return { next: endSession(session, ending, now) };
  return { knowing: awaitProof(closePair(session, pair), ending) };
}
