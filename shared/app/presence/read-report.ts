// The rules for the front door's reports (rules 2 to 4, 7 and 8 of ARCHITECTURE.md, "How events are read"). Pure. A report
// names its attempt, so one thing only is unknown: which of two overlapping attempts reached the broker last.

import { abandonAttempt, doubtAttempt, dropAttempt, endAttempt, overlapTold } from '../../domain/session/attempt.ts';
import {
  confirmAttempt,
  findAttempt,
  haveAllArrived,
  inFlight,
  isConfirmed,
  isOver,
  latestOver,
  markOver,
  noteArrival,
  unknownInFlight,
} from '../../domain/session/attempts.ts';
import { connectedSince } from '../../domain/session/bounds.ts';
import {
  awaitProof,
  type Confirmation,
  confirmSession,
  endSession,
  noteEnding,
  outlast,
  outlive,
} from '../../domain/session/outcome.ts';
import { type Ending, type Policy, pendingOf, type Session } from '../../domain/session/record.ts';
import { type ActionOf, cellOf, reports } from '../../domain/session/table.ts';
import type { Ms } from '../../domain/time.ts';
import type { DoorReport } from '../../ports/presence/presence.ts';
import type { LifeCyclePorts, Over, Step } from './step.ts';

/** A reported connection counts for as long as it may last, also where the report does not decide. */
export function readReport(
  session: Session,
  report: DoorReport,
  { policy }: Pick<LifeCyclePorts, 'policy'>,
  now: Ms,
): Step {
  const action = cellOf(reports, reportRow(session, report), session);
  const step = actions[action]({ session, report, policy, now });
  if (report.type !== 'door.connected' || typeof step !== 'object') return step;
  const counting = (next: Session): Session =>
    next.phase.kind === 'ended' ? next : outlast(next, report.at, report.expirySeconds, policy);
  if ('next' in step) return { next: counting(step.next) };
  return 'knowing' in step ? { ...step, knowing: counting(step.knowing) } : step;
}

type Told = 'connected' | 'failed' | 'never sent' | 'disconnected';

function toldBy(report: DoorReport): Told {
  if (report.type === 'door.connected') return 'connected';
  if (report.type === 'door.disconnected') return 'disconnected';
  return report.unsent === true ? 'never sent' : 'failed';
}

/** The row of a report: what it tells, and of which attempt. */
export function reportRow(session: Session, report: DoorReport): keyof typeof reports {
  const told = toldBy(report);
  const isOverlapped = session.ambiguity !== 'none';
  const attempt = findAttempt(session, report.attempt);
  const isLatest = attempt !== undefined && attempt === session.attempts[0];
  if (attempt !== undefined && isOver(attempt))
    return told === 'disconnected' && isOverlapped
      ? `${told}, known to be over, overlapped`
      : `${told}, known to be over`;
  switch (told) {
    case 'connected': {
      if (attempt !== undefined && isConfirmed(attempt)) return 'connected, known';
      // The attempt was let in without a count, and counted when a later one was there: later by clocks that may differ.
      if (!isLatest && attempt?.uncounted === true) return 'connected, older, let in uncounted';
      if (!isLatest) return isInFlight(session, report) ? 'connected, older, perhaps on its way' : 'connected, older';
      // The end that a broker event told may be this connection's own. An uncounted attempt's end may have been reported
      // before there was a record to apply it to.
      const isPerhapsOver = pendingOf(session)?.endHeard === true || report.uncounted === true;
      return isPerhapsOver ? 'connected, latest, perhaps over' : 'connected, latest';
    }
    case 'failed':
    case 'never sent':
      if (!isLatest) return `${told}, older`;
      return isOverlapped ? `${told}, latest, overlapped` : `${told}, latest`;
    case 'disconnected': {
      const isIts = attempt !== undefined && isConfirmed(attempt);
      const which = isIts ? (isLatest ? 'its connection' : 'its connection, older') : isLatest ? 'latest' : 'older';
      return isOverlapped ? `${told}, ${which}, overlapped` : `${told}, ${which}`;
    }
  }
}

function isInFlight(session: Session, { attempt }: DoorReport): boolean {
  return session.ambiguity === 'inFlightKnown' && inFlight(session).some(({ id }) => id === attempt);
}

interface Given {
  readonly session: Session;
  readonly report: DoorReport;
  readonly policy: Policy;
  readonly now: Ms;
}

const actions: Readonly<Record<ActionOf<typeof reports>, (given: Given) => Step>> = {
  '–': () => 'nothing',
  '·': () => 'ask the broker',
  // A `connected` that finds the session freed or retained: the CONNECT took longer than its lease, or the report is late
  // or comes again. Only the broker knows which. A `disconnected` that finds attempts overlapped asks what is left.
  ask: ({ session, report }) =>
    report.type === 'door.connected' ? { since: report.at } : { knowing: noteArrival(session, report.attempt) },
  confirm: ({ session, report, policy }) => ({
    // Also where a broker event came first: from now on the connection's attempt is known.
    next: confirmSession(session, { ...expiryOf(report), at: report.at, attempt: report.attempt }, policy),
  }),
  verify: ({ session, report }) => ({ knowing: confirmAttempt(session, report.attempt), since: report.at }),
  overlap: ({ session, report }) => readOlder(session, report),
  doubt: ({ session }) => ({ knowing: unknownInFlight(session) }),
  arrive: ({ session, report }) => readArrival(session, report),
  // Invariant: no session is freed while an attempt of it may be on its way.
  // Race: an older question's answer must not overwrite what the report tells, so the report writes the record.
  // On crash: the report is delivered again; without it the lease asks.
  note: ({ session, report }) => ({ next: noteArrival(session, report.attempt) }),
  land: ({ session, report }) => readLanding(session, report),
  drop: ({ session, now }) => readFailure(session, now),
  // An attempt that it overlapped may be a connection by now: the lease finds out.
  suspect: ({ session }) => ({ next: doubtAttempt(session) }),
  'end last': ({ session, report }) => readLast(outliveReport(noteArrival(session, report.attempt), report)),
  'ask, over': ({ session, report }) => ({ knowing: latestOver(noteArrival(session, report.attempt)) }),
  end: ({ session, report, now }) => {
    const { ending, over } = endOf(report);
    if (ending.unproven !== true) return { next: endSession(session, ending, now) };
    return { knowing: markOver(awaitProof(session, ending), report.attempt), over };
  },
  // Its `connected` report is late or lost; a connection that ended has been one.
  'end unseen': ({ session, report, policy, now }) => {
    const { ending, over } = endOf(report);
    // A kick that met the client id before this attempt had a record may have ended its session at the broker for good.
    const isMet = report.uncounted === true && ending.expirySeconds > 0;
    if (ending.unproven !== true && !isMet) return { next: endSession(session, ending, now) };
    const told: Confirmation = {
      at: session.attempts[0].admittedAt,
      expirySeconds: ending.expirySeconds,
      attempt: report.attempt,
    };
    return { knowing: latestOver(awaitProof(confirmSession(session, told, policy), ending)), over };
  },
  'note end': ({ session, report }) => ({ next: noteReported(session, report) }),
  'note last end': ({ session, report }) => {
    const noted = noteReported(session, report);
    return haveAllArrived(noted) ? { knowing: noted } : { next: noted };
  },
};

/**
 * An attempt that is not the latest has become a connection.
 *
 * Invariant: a connection that replaced the known one counts after the known one has ended.
 * Race: its CONNECT came after its lease, when a newer attempt was the latest of the record. From here on the end of the
 * newer one frees nothing without the broker's word.
 * On crash: the report is delivered again.
 */
function readOlder(session: Session, report: DoorReport): Step {
  if (connectedSince(session, report.at)) return 'nothing';
  // A known overlap is written all the same, so that a question asked before is asked again.
  return { next: session.ambiguity === 'none' ? overlapTold(session) : session };
}

/** An attempt that another overlapped has been at the broker, or was never sent: it is not on its way any more. */
function readArrival(session: Session, { attempt }: DoorReport): Step {
  const arrived = noteArrival(session, attempt);
  if (arrived === session) return 'nothing';
  // The end of the latest was told before, when an answer of `absent` proved nothing yet.
  return isOver(arrived.attempts[0]) && haveAllArrived(arrived) ? { knowing: arrived } : { next: arrived };
}

/**
 * A report of an attempt that is known to be over. An attempt that a kick met on its way has landed now, or was never sent.
 * Once all attempts have landed the broker's answer is a proof, so presence asks.
 */
function readLanding(session: Session, { attempt }: DoorReport): Step {
  const arrived = noteArrival(session, attempt);
  if (haveAllArrived(arrived)) return { knowing: arrived };
  return arrived === session ? 'nothing' : { next: arrived };
}

function readFailure(session: Session, now: Ms): Step {
  const ending = session.phase.kind === 'connected' ? session.phase.ending : undefined;
  if (ending?.unproven === true) return { knowing: awaitProof(dropAttempt(session), ending) };
  return { next: abandonAttempt(session, now) };
}

/** The latest attempt ended while pending: presence asks the broker once no earlier attempt is on its way. */
function readLast(session: Session): Step {
  const ended = endAttempt(session);
  return haveAllArrived(ended) ? { knowing: ended } : { next: ended };
}

const expiryOf = (report: DoorReport): Pick<Confirmation, 'expirySeconds'> => ({
  expirySeconds: report.type === 'door.failed' ? undefined : report.expirySeconds,
});

/** How a connection ended. Presence asks the broker for an unproven expiry; until it answers, the longest counts (S10). */
function endOf(report: DoorReport): { readonly ending: Ending; readonly over: Over } {
  if (report.type !== 'door.disconnected') throw new Error(`${report.type} tells no end`);
  const { at, expirySeconds, changedToSeconds, expiryIsAccounts } = report;
  const isUnproven = changedToSeconds !== undefined || expiryIsAccounts === true;
  return {
    ending: { at, expirySeconds, ...(isUnproven ? { unproven: true } : {}) },
    over: { endsSession: changedToSeconds === 0 },
  };
}

const noteReported = (session: Session, report: DoorReport): Session =>
  noteEnding(noteArrival(session, report.attempt), endOf(report).ending, undefined);

const outliveReport = (session: Session, report: DoorReport): Session =>
  report.type === 'door.disconnected' ? outlive(session, endOf(report).ending) : session;
