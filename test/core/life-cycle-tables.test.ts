// Walks every cell of the life cycle's tables (shared/domain/session/table.ts): records grow by what is told of them, in any
// order, and each message is held against what its cell promises. ARCHITECTURE.md shows the tables as they are.

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Heard } from '../../shared/app/presence/ask-broker.ts';
import type { BrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { readTruth } from '../../shared/app/presence/read-answer.ts';
import { eventRow, readEvent } from '../../shared/app/presence/read-event.ts';
import { readReport, reportRow } from '../../shared/app/presence/read-report.ts';
import type { Step } from '../../shared/app/presence/step.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { decideAfterKick } from '../../shared/domain/kick.ts';
import { extendLease, meetSession, startSession } from '../../shared/domain/session/attempt.ts';
import { isConfirmed, isOver, knowUncounted, withAttempts } from '../../shared/domain/session/attempts.ts';
import {
  type Admission,
  endingOf,
  isLive,
  pendingOf,
  type Session,
  type Witness,
} from '../../shared/domain/session/record.ts';
import { answers, cellOf, events, meanings, reports, stateOf, states } from '../../shared/domain/session/table.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import { seeded } from '../support/hostile-bytes.ts';

const names = { deploymentId: 'demo' as DeploymentId, username: 'alice' as Username, clientId: 'c' as ClientId };
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
const place = 'AAAAAAAAAAA' as Place;
const ports = { policy, random: { place: () => place } as never };
const walks = 14_000;
const stepsOfWalk = 24;

interface Told {
  readonly table: 'reports' | 'events' | 'answers';
  readonly row: string;
  readonly cell: string;
  readonly before: Session;
  /** A step of the rules, or for an answer the next record; `wait` where it proves nothing. */
  readonly step: Step | 'wait';
  /** The same once more, on another record. */
  readonly again: (session: Session) => Step | 'wait';
  readonly now: Ms;
}

/** The record that a step writes, or what it knows when it asks. */
const nextOf = (step: Step | 'wait'): Session | undefined => {
  if (typeof step !== 'object') return undefined;
  return 'next' in step ? step.next : 'knowing' in step ? step.knowing : undefined;
};
const asks = (step: Step | 'wait'): boolean =>
  step === 'ask the broker' || (typeof step === 'object' && !('next' in step));

/** By which way the clients of a walk come. */
const kinds: readonly (readonly Witness[])[] = [['door'], ['broker'], ['door', 'broker']];

/** What happens to a record, each as often as it stands here. */
const straight = ['event', 'event', 'event', 'event', 'answer', 'connect', 'connect', 'kick', 'doubt'] as const;
const throughDoor = [...straight, 'report', 'report', 'report', 'report', 'report', 'uncounted'] as const;

class Walk {
  private readonly random: (below: number) => number;
  private session: Session;
  private now = 1_800_000_000_000;
  private readonly ids: AttemptId[] = [];
  private readonly witnesses: readonly Witness[];

  constructor(seed: number) {
    this.random = seeded(seed);
    this.witnesses = kinds[seed % kinds.length] ?? [];
    this.session = startSession(names, place, this.admission(), policy, undefined, this.chance(20));
  }

  *steps(): Generator<Told> {
    for (let n = 0; n < stepsOfWalk; n++) {
      this.now += this.pick([0, 500, 3_000, 9_000, 15_000, 40_000, 200_000, 4_000_000]);
      const told = this.tell();
      if (told === undefined) continue;
      yield told;
      const next = nextOf(told.step);
      if (asks(told.step)) this.session = this.hear(next ?? told.before);
      else if (next !== undefined) this.session = next;
    }
  }

  private tell(): Told | undefined {
    const { session } = this;
    switch (this.pick(this.witnesses.includes('door') ? throughDoor : straight)) {
      case 'report':
        return this.report();
      case 'event':
        return this.event();
      case 'answer':
        return this.answer();
      case 'connect':
        this.session = isLive(session, ms(this.now))
          ? meetSession(session, this.admission(), policy, this.chance(10))
          : startSession(names, place, this.admission(), policy, session, this.chance(10));
        return undefined;
      case 'kick': {
        const askedAt = ms(this.now - this.pick([0, 2_000, 40_000]));
        const after = decideAfterKick({ before: session, askedAt, overAt: ms(this.now) }, session);
        if ('next' in after && after.next !== undefined) this.session = after.next;
        return undefined;
      }
      case 'doubt':
        this.session = this.leave(session);
        return undefined;
      default:
        this.session = knowUncounted(session, this.anAttempt());
        return undefined;
    }
  }

  private report(): Told {
    const now = ms(this.now);
    const common = { ...names, attempt: this.anAttempt(), at: ms(this.now - this.pick([0, 1_000, 20_000])) };
    const expirySeconds = this.expiry();
    const uncounted = this.chance(25) ? { uncounted: true as const } : {};
    const report: DoorReport = this.pick([
      { ...common, ...uncounted, type: 'door.connected', expirySeconds },
      { ...common, type: 'door.failed', ...(this.chance(40) ? { unsent: true as const } : {}) },
      { ...common, type: 'door.disconnected', expirySeconds },
      { ...common, type: 'door.disconnected', expirySeconds, changedToSeconds: this.expiry() },
    ]);
    const row = reportRow(this.session, report);
    const again = (session: Session) => readReport(session, report, ports, now);
    return { table: 'reports', row, cell: cellOf(reports, row, this.session), ...this.given(again) };
  }

  private event(): Told {
    const now = ms(this.now);
    const at = ms(this.now - this.pick([0, 1_000, 20_000, 300_000, 5_000_000]));
    const pair = { sessionIdentifier: this.pick(['one', 'two', 'three', 'four', 'five']), versionNumber: 0 };
    const common = { deploymentId: names.deploymentId, clientId: names.clientId, at };
    const event: BrokerEvent = this.pick([
      { ...common, type: 'connected', pair },
      { ...common, type: 'disconnected', pair },
      { ...common, type: 'disconnected', pair, reason: 'DUPLICATE_CLIENTID' },
      { ...common, type: 'connect_failed' },
    ]);
    const aside = { truth: undefined, doorSilent: this.chance(30) };
    const row = eventRow({ session: this.session, event, aside, policy, now });
    const again = (session: Session) => readEvent(session, event, aside, ports, now);
    return { table: 'events', row, cell: cellOf(events, row, this.session), ...this.given(again) };
  }

  private says(): Heard {
    const at = ms(this.now - this.pick([0, 1_000, 50_000]));
    return this.pick<Heard>([
      { kind: 'absent' },
      { kind: 'unknown' },
      { kind: 'connected', since: at, expirySeconds: this.expiry() },
      { kind: 'retained', disconnectedAt: at, expirySeconds: this.expiry() },
      { kind: 'retained' },
      { kind: 'strange', until: ms(this.now + 100_000) },
    ]);
  }

  private answer(): Told {
    const now = ms(this.now);
    const says = this.says();
    const again = (session: Session): Step | 'wait' => {
      const next = readTruth(session, says, ports, now);
      return next === undefined ? 'wait' : next === session ? 'nothing' : { next };
    };
    return { table: 'answers', row: says.kind, cell: cellOf(answers, says.kind, this.session), ...this.given(again) };
  }

  private given(again: Told['again']): Omit<Told, 'table' | 'row' | 'cell'> {
    return { before: this.session, step: again(this.session), again, now: ms(this.now) };
  }

  /** The broker was asked, and answers or not. */
  private hear(known: Session): Session {
    const told = this.chance(30) ? undefined : readTruth(known, this.says(), ports, ms(this.now));
    return told ?? this.leave(known);
  }

  /** What is known is left to the sweeper. */
  private leave(known: Session): Session {
    return known.phase.kind === 'ended' ? known : extendLease(known, ms(this.now + 30_000));
  }

  private admission(): Admission {
    const attempt = `attempt-${this.ids.length}` as AttemptId;
    this.ids.push(attempt);
    const witness = this.pick(this.witnesses);
    return { attempt, witness, at: ms(this.now), expirySeconds: this.expiry() };
  }

  private anAttempt(): AttemptId {
    return this.chance(50) && this.session !== undefined ? this.session.attempts[0].id : this.pick(this.ids);
  }

  private readonly expiry = () => seconds(this.pick([0, 0, 60, 3_600]));
  private readonly chance = (percent: number) => this.random(100) < percent;
  private pick<T>(of: readonly T[]): T {
    return of[this.random(of.length)] as T;
  }
}

/** What each cell promises of what it makes of a record. */
const promises: Readonly<Record<string, (told: Told) => boolean>> = {
  '–': ({ step }) => step === 'nothing',
  wait: ({ step }) => step === 'later' || step === 'wait',
  ask: ({ step }) => asks(step),
  'ask, over': ({ step }) => asks(step) && isLatestOver(nextOf(step)),
  'ask, close': ({ step }) => asks(step),
  'ask, count': ({ step, before }) => asks(step) && (nextOf(step)?.countsUntil ?? 0) >= before.countsUntil,
  'ask if later': ({ step }) => asks(step) || step === 'nothing',
  'ask of then': ({ step }) => asks(step),
  confirm: ({ step }) => phaseOf(step) === 'connected' && !asks(step) && !isPending(nextOf(step)),
  verify: ({ step }) => asks(step) && nextOf(step)?.attempts[0].state === 'connected',
  overlap: ({ step }) => step === 'nothing' || nextOf(step)?.ambiguity !== 'none',
  doubt: ({ step }) => asks(step) && nextOf(step)?.ambiguity === 'unknown',
  arrive: ({ step, before }) => step === 'nothing' || samePhase(step, before),
  note: ({ step, before }) => !asks(step) && samePhase(step, before),
  land: ({ step, before }) => step === 'nothing' || samePhase(step, before),
  drop: ({ step }) => !isPending(nextOf(step)) || endingOf(nextOf(step) as Session)?.unproven === true,
  suspect: ({ step, before }) => !asks(step) && isPending(nextOf(step)) && samePhase(step, before),
  'end last': ({ step }) => isPending(nextOf(step)) && isLatestOver(nextOf(step)),
  end: ({ step }) => isEnd(step),
  'end unseen': ({ step }) => isEnd(step),
  'note end': ({ step, before }) => !asks(step) && isPending(nextOf(step)) && samePhase(step, before),
  'note last end': ({ step, before }) => isPending(nextOf(step)) && samePhase(step, before),
  'hear end': ({ step }) => pendingOf(nextOf(step) as Session)?.endHeard === true,
  'learn pair': ({ step }) => asks(step) || phaseOf(step) === 'connected',
  close: ({ step, before }) => !asks(step) && samePhase(step, before),
  hasten: ({ step, before }) => step === 'nothing' || (isPending(nextOf(step)) && samePhase(step, before)),
  rewrite: ({ step, before }) => nextOf(step) === before,
  retain: ({ step }) => ['retained', 'ended'].includes(phaseOf(step) ?? ''),
  free: ({ step }) => phaseOf(step) === 'ended',
  count: ({ step, before }) => isPending(nextOf(step)) && samePhase(step, before),
  'count again': ({ step }) => nextOf(step)?.recounted === true,
};

const phaseOf = (step: Step | 'wait') => nextOf(step)?.phase.kind;
const samePhase = (step: Step | 'wait', before: Session): boolean => phaseOf(step) === before.phase.kind;
const isPending = (session: Session | undefined): boolean => session !== undefined && pendingOf(session) !== undefined;
const isLatestOver = (session: Session | undefined): boolean => session !== undefined && isOver(session.attempts[0]);

/** Over at once, or known to be over and the broker asked what it keeps. */
function isEnd(step: Step | 'wait'): boolean {
  const next = nextOf(step);
  if (next === undefined) return false;
  return asks(step)
    ? endingOf(next)?.unproven === true
    : ['retained', 'ended'].includes(next.phase.kind) && !isPending(next);
}

/** What a record's types cannot say. */
function problemsOf({ attempts, countsUntil, dueAt, ambiguity }: Session): readonly string[] {
  const ids = new Set(attempts.map(({ id }) => id));
  return [
    ...(ids.size === attempts.length ? [] : ['an attempt is listed twice']),
    ...(attempts.length <= 9 ? [] : ['more than 9 attempts']),
    ...(attempts.filter(isConfirmed).length <= 1 ? [] : ['two attempts are the connection']),
    ...(attempts.filter(isOver).length <= 1 ? [] : ['two attempts are over']),
    ...(attempts.slice(1).some(({ state }) => state === 'open') && ambiguity !== 'inFlightKnown'
      ? ['an earlier attempt is on its way, and that is not known']
      : []),
    ...(dueAt <= countsUntil ? [] : ['it is due after it counts']),
  ];
}

function* walkAll(): Generator<Told> {
  for (let seed = 1; seed <= walks; seed++) yield* new Walk(seed).steps();
}

describe('the life cycle', () => {
  test('reaches every cell of its tables and none that it says cannot be, and each does what it promises', () => {
    const reached = new Set<string>();
    const broken = new Map<string, Told>();
    const note = (what: string, told: Told) => broken.has(what) || broken.set(what, told);
    for (const told of walkAll()) {
      const name = `${told.table}: ${told.row} | ${stateOf(told.before)}`;
      reached.add(name);
      if (promises[told.cell]?.(told) !== true) note(`${name} does not do "${told.cell}"`, told);
      const next = nextOf(told.step);
      if (next === undefined) continue;
      for (const problem of problemsOf(next)) note(`${name}: ${problem}`, told);
      const isFreed = isLive(told.before, told.now) && next.phase.kind === 'ended';
      // S10, S12: an overlapped session is freed on the broker's word alone; and no message frees what is below an attempt.
      if (told.table !== 'answers' && isFreed && told.before.ambiguity !== 'none')
        note(`${name} frees without proof`, told);
      // I5: what is told twice is told once.
      const twice = nextOf(told.again(next));
      if (told.table !== 'answers' && twice !== undefined && !asks(told.step) && !asks(told.again(next))) {
        if (JSON.stringify(twice) !== JSON.stringify(next)) note(`${name} is not the same when it comes again`, told);
      }
    }
    expect([...broken].map(([what, { before, step }]) => ({ what, before, step }))).toEqual([]);
    const meant = Object.entries({ reports, events, answers }).flatMap(([table, rows]) =>
      Object.entries(rows).flatMap(([row, cells]) =>
        states.filter((_, n) => cells[n] !== '·').map((state) => `${table}: ${row} | ${state}`),
      ),
    );
    expect({
      notReached: meant.filter((name) => !reached.has(name)),
      notMeant: [...reached].filter((name) => !meant.includes(name)),
    }).toEqual({ notReached: [], notMeant: [] });
  });

  test('keeps 9 attempts at most, also of an item that held more; what is on its way is not known then', () => {
    const at = ms(1_800_000_000_000);
    const admission: Admission = { attempt: 'a' as AttemptId, witness: 'door', at, expirySeconds: seconds(0) };
    const begun = startSession(names, place, admission, policy, undefined, false);
    const earlier = Array.from({ length: 17 }, (_, n) => ({ id: `b${n}` as AttemptId, state: 'open' }) as const);
    const known: Session = { ...begun, ambiguity: 'inFlightKnown' };
    expect(withAttempts(known, [known.attempts[0], ...earlier])).toMatchObject({
      attempts: [{ id: 'a' }],
      ambiguity: 'unknown',
    });
    const uncounted = earlier.map(({ id }) => ({ id, state: 'forgotten', uncounted: true }) as const);
    expect(withAttempts(known, [known.attempts[0], ...uncounted]).attempts).toHaveLength(9);
  });

  test('is shown by ARCHITECTURE.md (vitest run test/core/life-cycle-tables.test.ts -u writes it)', async () => {
    const [begin, end] = ['<!-- life cycle -->\n', '<!-- end of life cycle -->'];
    const text = await readFile('ARCHITECTURE.md', 'utf8');
    const [head, tail] = [text.split(begin)[0], text.split(end)[1]];
    expect(tail).toBeDefined();
    await expect(`${head}${begin}${describeTables()}${end}${tail}`).toMatchFileSnapshot('../../ARCHITECTURE.md');
  });
});

function describeTables(): string {
  const table = (title: string, rows: Readonly<Record<string, readonly string[]>>): string =>
    [
      `| ${title} | ${states.join(' | ')} |`,
      `|---|${states.map(() => '---|').join('')}`,
      ...Object.entries(rows).map(([row, cells]) => `| ${row} | ${cells.join(' | ')} |`),
    ].join('\n');
  const actions = Object.entries(meanings).map(([name, meaning]) => `| ${name} | ${meaning} |`);
  return [
    table('the front door reports', reports),
    table('the broker tells', events),
    table('the broker answers', answers),
    ['| cell | what is done |', '|---|---|', ...actions].join('\n'),
    '',
  ].join('\n\n');
}
