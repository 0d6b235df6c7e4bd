// The reconciler: walks the whole table, a bounded slice a run, for ever. Every username it meets is recounted; sessions
// that nobody has heard of lately are compared with what the broker says, within the reconciler's share of questions. In
// a healthy installation it finds nothing: what it repairs is told as drift and ghosts, two metrics that are 0.
//
// Nothing depends on when it comes. It keeps its place after each page, so a run that dies repeats one page, and every
// repair may be repeated. It must not know how the table is laid out; where it goes on is the walk's business.

import { reconcilePassSeconds, reconcileQuietSeconds } from '../../config/constants.ts';
import type { DeploymentId, Username } from '../../domain/ids.ts';
import {
  disconnectedAtOf,
  isLive,
  madeOf,
  mayLiveOn,
  owesPlace,
  pendingOf,
  type Session,
} from '../../domain/session/record.ts';
import { addSeconds, later, type Ms, seconds } from '../../domain/time.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import type { Progress, TableWalk, WalkPage } from '../../ports/repair/table-walk.ts';
import { chooseFairly } from '../common/fair-choice.ts';
import { sideBySide } from '../common/side-by-side.ts';
import { recount } from '../counter/recount.ts';
import type { LifeCyclePorts } from '../presence/step.ts';
import { compareWithBroker } from './compare-with-broker.ts';

export interface ReconcilePorts extends LifeCyclePorts {
  readonly walk: TableWalk;
  /** Brings the order by used up to date for a username that was recounted. */
  readonly refreshRank?: (deploymentId: DeploymentId, username: Username) => Promise<unknown>;
  /** Whether the broker can know of a session at all; it can unless told. */
  readonly mayAsk?: (session: Session) => boolean;
}

export interface ReconcileBounds {
  /** Pages of a run. */
  readonly pages: number;
  /** Items of a page. */
  readonly pageItems: number;
  /** Questions to the broker of a run. */
  readonly questions: number;
  /** From the beginning of one pass to the beginning of the next, at least. */
  readonly passSeconds: number;
}

export interface Reconciled {
  readonly pages: number;
  /** Recounted. */
  readonly usernames: number;
  /** Met that are not tombstones. */
  readonly sessions: number;
  /** Places that belonged to no record, taken out. */
  readonly driftRemoved: number;
  /** Sessions that were not counted and are counted now: confirmed ones, and freed ones that the broker has still. */
  readonly driftAdded: number;
  /** Places of tombstones taken out: a freeing that had died halfway. */
  readonly finished: number;
  /** Sessions that counted, and were not at the broker. */
  readonly ghosts: number;
  /** Sessions of which the broker knew otherwise, that count all the same. */
  readonly corrected: number;
  readonly asked: number;
  /** Questions that nobody could answer. */
  readonly unknown: number;
  /** Usernames and sessions that the next pass has to look at again. */
  readonly failed: number;
  /** The pass over the whole table ended in this run. */
  readonly passEndedAt?: Ms;
}

/** 8,000 items and some 500 questions a minute: a fleet of 500,000 sessions is walked in about three hours. */
const usualBounds: ReconcileBounds = { pages: 40, pageItems: 200, questions: 480, passSeconds: reconcilePassSeconds };
const usernamesAtOnce = 8;
const questionsAtOnce = 4;

/** One run. `shouldStop` is asked between any two usernames and questions; what is left comes with the next run. */
export async function reconcile(
  ports: ReconcilePorts,
  shouldStop: () => boolean = () => false,
  bounds: ReconcileBounds = usualBounds,
): Promise<Reconciled> {
  const run = new ReconcileRun(ports, shouldStop, bounds);
  await run.walk();
  return run.total;
}

type Total = { -readonly [K in keyof Reconciled]: Reconciled[K] };

class ReconcileRun {
  readonly total: Total = {
    pages: 0,
    usernames: 0,
    sessions: 0,
    driftRemoved: 0,
    driftAdded: 0,
    finished: 0,
    ghosts: 0,
    corrected: 0,
    asked: 0,
    unknown: 0,
    failed: 0,
  };
  private readonly ports: ReconcilePorts;
  private readonly shouldStop: () => boolean;
  private readonly bounds: ReconcileBounds;
  /** By deployment, in this run. */
  private readonly asked = new Map<DeploymentId, number>();
  /** Whose sessions were the last on the page before: they may go on, and have been looked at. */
  private metLast: string | undefined;

  constructor(ports: ReconcilePorts, shouldStop: () => boolean, bounds: ReconcileBounds) {
    this.ports = ports;
    this.shouldStop = shouldStop;
    this.bounds = bounds;
  }

  async walk(): Promise<void> {
    const { walk, clock } = this.ports;
    let stored = await walk.readProgress();
    while (this.total.pages < this.bounds.pages && !this.shouldStop()) {
      const progress = this.goOn(stored?.value);
      if (progress === undefined) return;
      const page = await walk.readPage(progress.after, this.bounds.pageItems);
      // Stopped in the middle: the page is not done, and the next run begins with it.
      if (!(await this.recountPage(page))) return;
      await this.askAbout(page, progress);
      const saved = await this.save(progress, page, stored);
      // Somebody else walks: what was repaired is repaired, and they go on.
      if (saved === undefined) return;
      stored = saved;
      this.total.pages++;
      if (page.next === undefined) {
        this.total.passEndedAt = clock.now();
        return;
      }
    }
  }

  /** Undefined: the pass is over, and it is too early for the next. */
  private goOn(progress: Progress | undefined): Progress | undefined {
    const now = this.ports.clock.now();
    if (progress === undefined) return { pass: 1, startedAt: now, pages: 0 };
    if (progress.endedAt === undefined) return progress;
    // A clock that stepped back must not hold up the next pass for ever.
    const rested = now - progress.startedAt;
    if (rested >= 0 && rested < this.bounds.passSeconds * 1000) return undefined;
    return { pass: progress.pass + 1, startedAt: now, pages: 0, pagesBefore: progress.pages };
  }

  private async save(
    progress: Progress,
    page: WalkPage,
    stored: Stored<Progress> | undefined,
  ): Promise<Stored<Progress> | undefined> {
    const { after: _, ...kept } = progress;
    const next: Progress = {
      ...kept,
      pages: progress.pages + 1,
      ...(page.next === undefined ? { endedAt: this.ports.clock.now() } : { after: page.next }),
    };
    const put = await this.ports.walk.saveProgress(next, stored);
    return put.kind === 'done' ? { value: next, revision: put.revision } : undefined;
  }

  /** False where it was stopped before all of it was done. */
  private async recountPage(page: WalkPage): Promise<boolean> {
    const withSessions = new Map(page.sessions.map((session) => [keyOf(session), session]));
    const lastKey = [...withSessions.keys()].at(-1);
    if (this.metLast !== undefined) withSessions.delete(this.metLast);
    for (const roster of page.rosters) withSessions.delete(keyOf(roster));
    this.total.sessions += page.sessions.filter((session) => session.phase.kind !== 'ended').length;
    const todo = [
      ...page.rosters.map((names) => ({ names, peek: false })),
      ...[...withSessions.values()].map((names) => ({ names, peek: true })),
    ];
    const left = await sideBySide(
      todo,
      usernamesAtOnce,
      ({ names, peek }) => this.recountOne(names.deploymentId, names.username, peek),
      this.shouldStop,
    );
    if (lastKey !== undefined) this.metLast = lastKey;
    return left === 0;
  }

  /** `peek`: met by its sessions. If it has a roster the walk meets that too, and recounts it there, once. */
  private async recountOne(deploymentId: DeploymentId, username: Username, peek: boolean): Promise<void> {
    const { store, refreshRank } = this.ports;
    try {
      if (peek && (await store.readRoster(deploymentId, username)).used > 0) return;
      const counted = await recount(this.ports, deploymentId, username);
      this.total.usernames++;
      this.total.driftRemoved += counted.removed;
      this.total.driftAdded += counted.added;
      this.total.finished += counted.finished;
      await refreshRank?.(deploymentId, username);
    } catch {
      this.total.failed++;
    }
  }

  private async askAbout(page: WalkPage, progress: Progress): Promise<void> {
    const now = this.ports.clock.now();
    const quiet = page.sessions.filter((session) => isQuiet(session, now) && this.ports.mayAsk?.(session) !== false);
    const chosen = chooseFairly(quiet, this.questionsFor(progress, page), this.asked, progress.pass);
    await sideBySide(chosen, questionsAtOnce, (session) => this.compare(session), this.shouldStop);
  }

  /** Its part of the questions that are left: all of them on the last page, else as if the table were as large as it was. */
  private questionsFor(progress: Progress, page: WalkPage): number {
    const left = this.bounds.questions - this.total.asked;
    if (page.next === undefined) return left;
    const toCome = Math.max(1, (progress.pagesBefore ?? Number.POSITIVE_INFINITY) - progress.pages);
    return Math.ceil(left / Math.min(this.bounds.pages - this.total.pages, toCome));
  }

  private async compare(session: Session): Promise<void> {
    try {
      const found = await compareWithBroker(this.ports, session);
      if (found === 'not asked') return;
      this.total.asked++;
      if (found === 'unknown') this.total.unknown++;
      if (found === 'ghost') this.total.ghosts++;
      if (found === 'uncounted') this.total.driftAdded++;
      if (found === 'corrected') this.total.corrected++;
    } catch {
      this.total.failed++;
    }
  }
}

/**
 * Proven once, nothing pending that the sweeper looks after, and not heard of lately. A tombstone is worth a question for
 * as long as the broker may keep what it granted to the session: one that lives on is not counted.
 */
function isQuiet(session: Session, now: Ms): boolean {
  if (pendingOf(session) !== undefined || owesPlace(session)) return false;
  if (!isLive(session, now) && !mayLiveOn(session, now)) return false;
  const [{ admittedAt }] = session.attempts;
  const heardAt = later(admittedAt, later(madeOf(session)?.at ?? admittedAt, disconnectedAtOf(session) ?? admittedAt));
  return addSeconds(heardAt, seconds(reconcileQuietSeconds)) <= now;
}

function keyOf(names: { readonly deploymentId: DeploymentId; readonly username: Username }): string {
  return `${names.deploymentId}|${names.username}`;
}
