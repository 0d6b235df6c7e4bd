// The attempts of a record: which of them is the connection, which is over, and which may be on its way to the broker.
// Pure. A list keeps only what a later message can ask about.

import type { AttemptId } from '../ids.ts';
import type { Attempt, Attempts, LatestAttempt, Session } from './record.ts';

/** The most attempts that are kept besides the latest. */
const earlierMax = 8;

export const isConfirmed = ({ state }: Attempt): boolean => state === 'connected' || state === 'ended';
export const isOver = ({ state }: Attempt): boolean => state === 'over' || state === 'ended' || state === 'kicked';

export function findAttempt(session: Session, id: AttemptId): Attempt | undefined {
  return session.attempts.find((attempt) => attempt.id === id);
}

/** The overlapping attempts that may be on their way to the broker. Meaningful only for `inFlightKnown`. */
export function inFlight({ attempts: [latest, ...earlier] }: Session): readonly Attempt[] {
  const mayBe = earlier.filter(({ state }) => state === 'open' || state === 'kicked');
  return latest.state === 'kicked' ? [latest, ...mayBe] : mayBe;
}

/** The front door has told that no overlapping attempt is on its way any more, and neither is the latest. */
export function haveAllArrived(session: Session): boolean {
  const [latest] = session.attempts;
  if (session.ambiguity !== 'inFlightKnown' || inFlight(session).length > 0) return false;
  return isConfirmed(latest) || isOver(latest);
}

/** The session with other attempts, at most 9. Dropping one that may be on its way makes the ambiguity `unknown`. */
export function withAttempts(session: Session, [latest, ...earlier]: Attempts): Session {
  const meant = earlier.filter(({ state, uncounted }) => state !== 'forgotten' || uncounted === true);
  if (meant.length <= earlierMax) return { ...session, attempts: [latest, ...meant] };
  const leastKnown = meant.findLastIndex((attempt) => !isConfirmed(attempt) && !isOver(attempt));
  const kept: Attempts = [latest, ...meant.filter((_, n) => n !== leastKnown)];
  const isLost = session.ambiguity === 'inFlightKnown' && meant[leastKnown]?.state === 'open';
  const next: Session = { ...session, attempts: kept };
  // An item of an earlier release may hold more of them.
  return isLost ? unknownInFlight(next) : withAttempts(next, kept);
}

/** The session with each attempt in the state that `to` gives it. */
export function mapStates(session: Session, to: (attempt: Attempt, isLatest: boolean) => Attempt['state']): Session {
  const [latest, ...earlier] = session.attempts;
  return withAttempts(session, [
    { ...latest, state: to(latest, true) },
    ...earlier.map((attempt) => ({ ...attempt, state: to(attempt, false) })),
  ]);
}

/** Attempts overlap, and the record cannot say which of them are on their way. */
export function unknownInFlight(session: Session): Session {
  return { ...mapStates(session, landed), ambiguity: 'unknown' };
}

/** No attempt overlaps. */
export function noneInFlight(session: Session): Session {
  return { ...mapStates(session, landed), ambiguity: 'none' };
}

/** The state of an attempt once no overlapping attempt is on its way. */
export function landed({ state }: Attempt, isLatest: boolean): Attempt['state'] {
  if (state === 'kicked') return 'over';
  return state === 'open' && !isLatest ? 'forgotten' : state;
}

/** The attempt is the connection, by the front door's word. Undefined: no message has named the attempt. */
export function confirmAttempt(session: Session, id: AttemptId | undefined): Session {
  return mapStates(session, (attempt, isLatest) => {
    const state = unconfirmed(attempt, isLatest);
    if (attempt.id !== id) return state;
    return isOver({ ...attempt, state }) ? 'ended' : 'connected';
  });
}

/** The attempt is over. The record remembers one such attempt only, the last that was told. */
export function markOver(session: Session, id: AttemptId): Session {
  return mapStates(session, (attempt, isLatest) => {
    if (attempt.id !== id) return notOver(attempt, isLatest);
    if (attempt.state === 'kicked') return 'kicked';
    return isConfirmed(attempt) ? 'ended' : 'over';
  });
}

export function latestOver(session: Session): Session {
  return markOver(session, session.attempts[0].id);
}

/** Forgets which attempt is over. */
export function noneOver(session: Session): Session {
  return mapStates(session, notOver);
}

/** Forgets which attempt is the connection. */
export function noneConfirmed(session: Session): Session {
  return mapStates(session, unconfirmed);
}

function unconfirmed({ state }: Attempt, isLatest: boolean): Attempt['state'] {
  if (state === 'ended') return 'over';
  if (state !== 'connected') return state;
  return isLatest ? 'open' : 'forgotten';
}

function notOver({ state }: Attempt, isLatest: boolean): Attempt['state'] {
  if (state === 'ended') return 'connected';
  if (state === 'kicked') return 'open';
  if (state !== 'over') return state;
  return isLatest ? 'open' : 'forgotten';
}

/** This attempt was at the broker, or never will be, by the front door's word. The same session if that is known. */
export function noteArrival(session: Session, id: AttemptId): Session {
  if (session.ambiguity !== 'inFlightKnown' || !inFlight(session).some((attempt) => attempt.id === id)) return session;
  return mapStates(session, (attempt, isLatest) => (attempt.id === id ? landed(attempt, isLatest) : attempt.state));
}

/** Flags an attempt that was let in without a count: its message may come again. Answers the same session if flagged. */
export function knowUncounted(session: Session, id: AttemptId): Session {
  const known = findAttempt(session, id);
  if (known?.uncounted === true) return session;
  const [latest, ...earlier] = session.attempts;
  if (latest.id === id) return { ...session, attempts: [{ ...latest, uncounted: true }, ...earlier] };
  if (known === undefined)
    return withAttempts(session, [latest, { id, state: 'forgotten', uncounted: true }, ...earlier]);
  const flagged = earlier.map((attempt) => (attempt.id === id ? { ...attempt, uncounted: true as const } : attempt));
  return { ...session, attempts: [latest, ...flagged] };
}

/** Puts an attempt before the known ones. It may be among them, where its admission had to look again. */
export function withLatest(session: Session, latest: LatestAttempt): Session {
  const before = findAttempt(session, latest.id);
  const first = before?.uncounted === true ? { ...latest, uncounted: true as const } : latest;
  const [last, ...earlier] = session.attempts;
  const { id, state, uncounted } = last;
  const others: Attempt[] = [uncounted === true ? { id, state, uncounted } : { id, state }, ...earlier];
  return withAttempts(session, [first, ...others.filter((attempt) => attempt.id !== latest.id)]);
}
