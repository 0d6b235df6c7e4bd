// A fleet's loads on the code that answers them, in simulated time: what is told of each, and which partitions are
// hottest. The figures hang on the seed and on bench/contention/parameters.ts, and on no machine.

import type { Row, Section, SectionResult } from '../section.ts';
import type { Outcome } from './outcome.ts';
import { burst, type FleetLimit, fleetLeaves, fleetReturns, limitChanges, manyUsernames } from './scenarios.ts';

const seed = 1;
const perSecond = 3_000;
/** All of a fleet in the long run; what a quick run can carry. */
const fleetSizes = { full: 100_000, quick: 3_000 } as const;

interface Expected {
  /** Who has to be let in; the others are told no for quota. */
  readonly letIn: number;
}

function rowsOf(what: string, outcome: Outcome, expected: Expected | undefined): readonly Row[] {
  const { told, answers, overAdmitted, falselyRejected, used, live } = outcome;
  const letIn = told.admitted + told.reconnected;
  const exact = overAdmitted === 0 && falselyRejected === 0 && used === live;
  const wanted = expected?.letIn;
  return [
    {
      what: `${what}: let in`,
      value: letIn,
      unit: 'sessions',
      ...(wanted === undefined ? {} : { ok: letIn === wanted }),
    },
    { what: `${what}: let in within 3 s`, value: outcome.inTime, unit: 'sessions' },
    { what: `${what}: turned away for quota`, value: told.quota, unit: 'sessions' },
    {
      what: `${what}: unavailable`,
      value: told.unavailable + told.other,
      unit: 'sessions',
      budget: 0,
      ok: told.unavailable + told.other === 0,
    },
    {
      what: `${what}: let in above the limit, turned away below it, or counted and not there`,
      value: overAdmitted + falselyRejected + Math.abs(used - live),
      unit: 'sessions',
      budget: 0,
      ok: exact,
      binding: true,
    },
    { what: `${what}: answer, median`, value: round(answers.p50), unit: 'ms' },
    { what: `${what}: answer, p99`, value: round(answers.p99), unit: 'ms' },
    { what: `${what}: last answer after the first CONNECT`, value: round(outcome.lastAnswerMs), unit: 'ms' },
    { what: `${what}: processes at once`, value: outcome.atOnce, unit: 'processes' },
    {
      what: `${what}: all events applied after the last answer`,
      value: outcome.quietAfterMs === undefined ? -1 : round(outcome.quietAfterMs),
      unit: 'ms',
      ok: outcome.quietAfterMs !== undefined,
    },
  ];
}

function notesOf(
  what: string,
  { hottest, reasons, throttled, conflicts, requests, givenUp }: Outcome,
): readonly string[] {
  const hot = hottest.map(
    ({ key, peak, throttled: away }) => `${key} ${peak}/s${away === 0 ? '' : `, ${away} refused`}`,
  );
  return [
    `${what}: ${requests} requests, ${throttled} throttled, ${conflicts} conflicts. Hottest, units in the busiest second: ${hot.join('; ')}.`,
    ...reasons.map(([reason, count]) => `${what}: ${count} unavailable: ${reason}.`),
    ...(givenUp === 0 ? [] : [`${what}: ${givenUp} events given up after five deliveries.`]),
  ];
}

const round = (milliseconds: number): number => Math.round(milliseconds);

async function run({ full, say }: Parameters<Section['run']>[0]): Promise<SectionResult> {
  const rows: Row[] = [];
  const notes: string[] = [
    'Simulated: the authorizer, presence and sweeper code on a model of DynamoDB, SQS and IoT Core; the parameters of docs/adr/figures/0001-contention.md. Eventually consistent reads do not lag, processes have no cold start, Lambda has as many as it takes.',
  ];
  async function take<O extends Outcome>(what: string, work: () => Promise<O>, expected?: Expected): Promise<O> {
    const began = performance.now();
    const outcome = await work();
    say(`${what}: ${Math.round((performance.now() - began) / 1_000)} s`);
    rows.push(...rowsOf(what, outcome, expected));
    notes.push(...notesOf(what, outcome));
    return outcome;
  }

  for (const limit of [1_000, 100])
    await take(`500 new at once, limit ${limit}`, () => burst({ seed, sessions: 500, limit }), {
      letIn: Math.min(500, limit),
    });
  const seconds = full ? 10 : 2;
  await take(
    `${perSecond}/s over 30,000 usernames for ${seconds} s`,
    () => manyUsernames({ seed, usernames: 30_000, perSecond, seconds }),
    { letIn: perSecond * seconds },
  );
  const sessions = full ? fleetSizes.full : fleetSizes.quick;
  const limits: readonly FleetLimit[] = [sessions, 'whitelisted', 'none'];
  for (const as of ['new', 'retained'] as const) {
    for (const limit of limits) {
      const held = typeof limit === 'number' ? `limit ${limit}` : limit === 'none' ? 'no limit' : limit;
      await take(
        `${sessions} ${as} of one username at ${perSecond}/s, ${held}`,
        () => fleetReturns({ seed, sessions, perSecond, limit, as }),
        { letIn: sessions },
      );
    }
  }
  await take(`${sessions} at ${perSecond}/s, limit halved and set back`, () =>
    limitChanges({ seed, sessions, perSecond, limit: sessions }),
  );
  const left = await take(`${sessions} sessions end together`, () => fleetLeaves({ seed, sessions }));
  rows.push({
    what: `${sessions} sessions end together: none counted after`,
    value: left.freedAfterMs === undefined ? -1 : round(left.freedAfterMs),
    unit: 'ms',
    ok: left.freedAfterMs !== undefined,
  });
  return { rows, notes };
}

export const section: Section = { name: 'fleet', title: 'Contention, in simulated time', run };
