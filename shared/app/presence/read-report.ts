// The rules for the front door's reports. Pure.

import {
  abandonAttempt,
  doubtAttempt,
  dropAttempt,
  endAttempt,
  noteArrival,
  overlapTold,
  overlapUnknown,
} from '../../domain/session/attempt.ts';
import { connectedSince, haveAllArrived } from '../../domain/session/bounds.ts';
import {
  awaitProof,
  type Confirmation,
  confirmSession,
  endSession,
  noteEnding,
  outlast,
  outlive,
} from '../../domain/session/outcome.ts';
import type { Ending, Policy, Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { DoorReport } from '../../ports/presence/presence.ts';
import type { LifeCyclePorts, Over, Step } from './step.ts';

/** A connection that is told of counts for as long as it may last, also where its word does not decide. */
export function readReport(session: Session, report: DoorReport, ports: LifeCyclePorts, now: Ms): Step {
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
