// The attempts of a record: which of them is the connection, which is over, and which may be on its way to the broker.
// Pure. A list keeps only what a later message can ask about.

import type { AttemptId } from '../ids.ts';
import type { Attempt, Attempts, LatestAttempt, Session } from './record.ts';

/** Besides the latest. */
const earlierMax = 8;

export const isConfirmed = ({ state }: Attempt): boolean => state === 'connected' || state === 'ended';
export const isOver = ({ state }: Attempt): boolean => state === 'over' || state === 'ended' || state === 'kicked';

export function findAttempt(session: Session, id: AttemptId): Attempt | undefined {
  return session.attempts.find((attempt) => attempt.id === id);
}

/** Of the attempts that overlapped, those that may be on their way to the broker; meaningful where that is known. */
export function inFlight({ attempts: [latest, ...earlier] }: Session): readonly Attempt[] {
  const mayBe = earlier.filter(({ state }) => state === 'open' || state === 'kicked');
  return latest.state === 'kicked' ? [latest, ...mayBe] : mayBe;
}

/** By the front door's word no attempt that overlapped is on its way any more, nor is the latest. */
export function haveAllArrived(session: Session): boolean {
  const [latest] = session.attempts;
  if (session.ambiguity !== 'inFlightKnown' || inFlight(session).length > 0) return false;
  return isConfirmed(latest) || isOver(latest);
}

/** The session with other attempts. Which are on their way is not known any more where one of them would be lost. */
export function withAttempts(session: Session, [latest, ...earlier]: Attempts): Session {
  const meant = earlier.filter(({ state, uncounted }) => state !== 'forgotten' || uncounted === true);
  if (meant.length <= earlierMax) return { ...session, attempts: [latest, ...meant] };
  const leastKnown = meant.findLastIndex((attempt) => !isConfirmed(attempt) && !isOver(attempt));
  const kept: Attempts = [latest, ...meant.filter((_, n) => n !== leastKnown)];
  const isLost = session.ambiguity === 'inFlightKnown' && meant[leastKnown]?.state === 'open';
  return isLost ? unknownInFlight({ ...session, attempts: kept }) : { ...session, attempts: kept };
}

/** The session with each attempt in the state that `to` gives it. */
export function mapStates(session: Session, to: (attempt: Attempt, isLatest: boolean) => Attempt['state']): Session {
  const [latest, ...earlier] = session.attempts;
  return withAttempts(session, [
    { ...latest, state: to(latest, true) },
    ...earlier.map((attempt) => ({ ...attempt, state: to(attempt, false) })),
  ]);
}

/** Attempts overlap, and nobody can tell when each of them came to the broker. */
export function unknownInFlight(session: Session): Session {
  return { ...mapStates(session, landed), ambiguity: 'unknown' };
}

/** No attempt overlaps. */
export function noneInFlight(session: Session): Session {
  return { ...mapStates(session, landed), ambiguity: 'none' };
}

/** An attempt's state where none that overlapped is on its way. */
export function landed({ state }: Attempt, isLatest: boolean): Attempt['state'] {
  if (state === 'kicked') return 'over';
  return state === 'open' && !isLatest ? 'forgotten' : state;
}

/** The front door told that the attempt is the connection; undefined: which attempt it is, nobody told. */
export function confirmAttempt(session: Session, id: AttemptId | undefined): Session {
  return mapStates(session, (attempt, isLatest) => {
    const state = unconfirmed(attempt, isLatest);
    if (attempt.id !== id) return state;
    return isOver({ ...attempt, state }) ? 'ended' : 'connected';
  });
}

/** The attempt is over. Of those that are, one is remembered. */
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

/** Which attempts are over is not known any more. */
export function noneOver(session: Session): Session {
  return mapStates(session, notOver);
}

/** No connection is known any more. */
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

/** The front door told that this attempt has been at the broker, or never will be. The same session where that is no news. */
export function noteArrival(session: Session, id: AttemptId): Session {
  if (session.ambiguity !== 'inFlightKnown' || !inFlight(session).some((attempt) => attempt.id === id)) return session;
  return mapStates(session, (attempt, isLatest) => (attempt.id === id ? landed(attempt, isLatest) : attempt.state));
}

/** Counted here though it was let in without a count: the message of it may come again. The same session where known. */
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

/** Comes before those that are known; it may be known itself, where it had to look again. */
export function withLatest(session: Session, latest: LatestAttempt): Session {
  const before = findAttempt(session, latest.id);
  const first = before?.uncounted === true ? { ...latest, uncounted: true as const } : latest;
  const [last, ...earlier] = session.attempts;
  const { id, state, uncounted } = last;
  const others: Attempt[] = [uncounted === true ? { id, state, uncounted } : { id, state }, ...earlier];
  return withAttempts(session, [first, ...others.filter((attempt) => attempt.id !== latest.id)]);
}
