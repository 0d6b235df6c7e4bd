// States that are hard to reach, and how often a run has reached them: a schedule that never meets them proves nothing.

import type { AttemptId } from '../../shared/domain/ids.ts';
import { isFolded, isSamePlace, isWide } from '../../shared/domain/place.ts';
import { findAttempt, isOver } from '../../shared/domain/session/attempts.ts';
import { endingOf, isLive, pendingOf, type Session } from '../../shared/domain/session/record.ts';
import type { Ms } from '../../shared/domain/time.ts';
import type { Actor } from './actor.ts';
import { rosterOf, type TableView } from './table-view.ts';

export const hardStates = [
  'race lost at the roster',
  'counted together',
  'undone',
  'met an uncounted attempt',
  'died between session and roster',
  'delivered again after a death',
  'lease freed',
  'lease confirmed',
  'lease extended',
  'reclaimed at a full quota',
  'counted again from a tombstone',
  'counted whatever the limit',
  'attempt abandoned',
  'ending noted while an attempt was pending',
  'client id changed hands',
  'taken over',
  'let in without a count',
  'counted after an outage',
  'kicked',
  'kicked and came back',
  'compared with the broker',
  'recounted beside traffic',
  'read stale',
  'late write landed',
  'counted twice for a moment',
  'folded',
  'a folded session freed',
  'given in reserve',
  'a lane closed',
  'lanes opened together',
  'moved to another lane',
  'read the limit anew',
  'said what the broker did not hear',
  'ended what its client had given up',
] as const;

/** Looked for and allowed for, and so rare that thousands of schedules need not meet it. */
export const rareStates: ReadonlySet<HardState> = new Set<HardState>(['counted twice for a moment']);

export type HardState = (typeof hardStates)[number];

export class Reached {
  readonly counts = new Map<HardState, number>(hardStates.map((state) => [state, 0]));

  note(state: HardState): void {
    this.counts.set(state, (this.counts.get(state) ?? 0) + 1);
  }

  add(other: Reached): void {
    for (const [state, count] of other.counts) this.counts.set(state, (this.counts.get(state) ?? 0) + count);
  }

  /** What one write of `actor` did to the sessions. */
  noteWrite(actor: Actor, before: TableView, after: TableView, now: Ms): void {
    for (const [key, session] of after.sessions) {
      const old = before.sessions.get(key);
      if (old !== undefined && old !== session) this.noteChange(actor, old, session, before, now);
    }
    for (const [key, item] of after.items) {
      if (!key.startsWith('L|')) continue;
      const old = before.items.get(key);
      if (Number(item.room) > Number(old?.room ?? 0) && item.cap !== undefined && actor.kind === 'connect')
        this.note('given in reserve');
      if (old?.listed !== undefined && item.listed === undefined) this.note('a lane closed');
    }
    if (openLanes(after) - openLanes(before) > 1) this.note('lanes opened together');
    for (const [key, session] of after.sessions) {
      if (before.sessions.has(key)) continue;
      if (heldByAnother(before, session)) this.note('client id changed hands');
      if (session.recounted && session.phase.kind === 'new') this.note('counted after an outage');
    }
    for (const [key, old] of before.sessions) {
      if (!after.sessions.has(key) && actor.kind === 'connect' && old.phase.kind === 'new') this.note('undone');
    }
  }

  private noteChange(actor: Actor, old: Session, next: Session, before: TableView, now: Ms): void {
    if (!isFolded(old.place) && isFolded(next.place)) this.note('folded');
    if (
      old.attempts[0].id === next.attempts[0].id &&
      isWide(old.place) &&
      !isSamePlace(old.place, next.place) &&
      actor.kind === 'connect'
    )
      this.note('moved to another lane');
    if (isFolded(old.place) && next.phase.kind === 'ended') this.note('a folded session freed');
    const counted = rosterOf(before, old.deploymentId, old.username).places.has(old.place);
    if (actor.kind === 'connect') {
      if (
        old.attempts[0].id !== next.attempts[0].id &&
        old.place === next.place &&
        old.phase.kind === 'new' &&
        !counted
      )
        this.note('met an uncounted attempt');
      if (old.phase.kind === 'new' && next.phase.kind === 'ended' && !counted) this.note('undone');
      const isOthers = !actor.title.startsWith(`${old.username} `);
      if (isOthers && old.phase.kind !== 'ended' && next.phase.kind === 'ended' && !isExpired(old, now))
        this.note('taken over');
      if (
        isExpired(old, now) &&
        next.phase.kind === 'ended' &&
        rosterOf(before, old.deploymentId, old.username).used >= actor.max
      ) {
        this.note('reclaimed at a full quota');
      }
    }
    if (actor.kind === 'sweeper' && isDue(old, now)) {
      if (old.phase.kind !== 'ended' && next.phase.kind === 'ended') this.note('lease freed');
      if (next.phase.kind === 'connected' && pendingOf(next) === undefined) this.note('lease confirmed');
      if ((pendingOf(next)?.until ?? 0) > now) this.note('lease extended');
    }
    if (actor.kind === 'presence') {
      if (old.phase.kind === 'ended' && next.phase.kind === 'connected') this.note('counted again from a tombstone');
      if (endingOf(old) === undefined && endingOf(next) !== undefined)
        this.note('ending noted while an attempt was pending');
    }
    if (pendingOf(old) !== undefined && isKnownOver(next, old.attempts[0].id) && !isKnownOver(old, old.attempts[0].id))
      this.note('attempt abandoned');
  }
}

function openLanes(view: TableView): number {
  let open = 0;
  for (const [key, item] of view.items) if (key.startsWith('L|') && item.listed !== undefined) open++;
  return open;
}

function heldByAnother(view: TableView, session: Session): boolean {
  for (const other of view.sessions.values()) {
    const sameId = other.deploymentId === session.deploymentId && other.clientId === session.clientId;
    if (sameId && other.username !== session.username) return true;
  }
  return false;
}

function isExpired(session: Session, now: Ms): boolean {
  return session.phase.kind !== 'ended' && !isLive(session, now);
}

function isDue(session: Session, now: Ms): boolean {
  const pending = pendingOf(session);
  return pending !== undefined && pending.until <= now;
}

function isKnownOver(session: Session, id: AttemptId): boolean {
  const attempt = findAttempt(session, id);
  return attempt !== undefined && isOver(attempt);
}
