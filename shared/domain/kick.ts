// What a kick makes of a session. Pure. The broker has answered that at one moment it held neither connection nor
// session for the client id: proof of the end of everything that had reached it by then, and of nothing else.

import { doubtKicked } from './session/attempt.ts';
import { isOnItsWay } from './session/bounds.ts';
import { freeSession, noteEnding } from './session/outcome.ts';
import { pairOf, pendingOf, type Session } from './session/record.ts';
import { type Ms, seconds } from './time.ts';

export interface Kick {
  /** The record as it was read before the broker was told. */
  readonly before: Session;
  /** When that was; the broker's answer speaks for everything that had arrived by then. */
  readonly askedAt: Ms;
  /** When the broker's answer was there. What is admitted later is not touched by it. */
  readonly overAt: Ms;
}

export type AfterKick =
  /** Somebody else has freed it already. */
  | { readonly kind: 'freed' }
  /** The life that was read is over. */
  | { readonly kind: 'ends'; readonly next: Session }
  /** An attempt may have been on its way to the broker: it counts until the broker can say what became of it. */
  | { readonly kind: 'doubtful'; readonly next: Session }
  /** It came back afterwards. What it came back to is over. */
  | { readonly kind: 'returned'; readonly next: Session | undefined }
  /** Another attempt was confirmed in between, before the kick or after it: only the broker knows. */
  | { readonly kind: 'unsure' };

/**
 * Decides on the record as it stands now. Freed is only the attempt that was read before the kick, and only if it had
 * reached the broker by then: one that came back in between stays counted (S15), and one that was on its way is
 * not freed without proof (rule 8).
 */
export function decideAfterKick({ before, askedAt, overAt }: Kick, now: Session): AfterKick {
  const [latest] = now.attempts;
  const isSame = latest.id === before.attempts[0].id;
  if (now.phase.kind === 'ended') return { kind: 'freed' };
  if (isSame && !isOnItsWay(before, askedAt))
    return { kind: 'ends', next: freeSession(now, { owes: true, findAt: overAt }) };
  if (pendingOf(now) === undefined) return { kind: 'unsure' };
  const ended =
    now.phase.kind === 'new' ? undefined : noteEnding(now, { at: overAt, expirySeconds: seconds(0) }, pairOf(now));
  if (!isSame && latest.admittedAt > overAt) return { kind: 'returned', next: ended };
  // From here on only the broker's own word is taken for this attempt: if the kick met its connection, what is still told
  // of that connection is about one that has left nothing behind.
  return { kind: 'doubtful', next: doubtKicked(ended ?? now) };
}
