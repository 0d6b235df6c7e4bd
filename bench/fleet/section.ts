// A fleet's loads on the code that answers them, in simulated time: what is told of each, and which partitions are
// hottest. The figures hang on the seed and on bench/contention/parameters.ts, and on no machine.

import type { Row, Section, SectionOptions, SectionResult } from '../section.ts';
import type { Outcome } from './outcome.ts';
import { burst, type FleetLimit, fleetLeaves, fleetReturns, limitChanges, manyUsernames } from './scenarios.ts';

const seed = 1;
const perSecond = 3_000;
/** All of a fleet in the long run; what a quick run can carry. */
const fleetSizes = { full: 100_000, quick: 1_000 } as const;
/** Tasks of the front door that share such a load. */
const doors = 4;

interface Expected {
  /** Who has to be let in; the others are told no for quota. */
  readonly letIn: number;
}

function rowsOf(what: string, outcome: Outcome, expected: Expected | undefined): readonly Row[] {
  const { told, answers, quietAfterMs } = outcome;
  const letIn = told.admitted + told.reconnected;
  const unavailable = told.unavailable + told.other;
  const wanted = expected?.letIn;
  return [
    {
      what: `${what}: let in`,
      value: letIn,
      unit: 'sessions',
      ...(wanted === undefined ? {} : { ok: letIn === wanted, headline: true }),
    },
    { what: `${what}: let in within 3 s`, value: outcome.inTime, unit: 'sessions' },
    { what: `${what}: turned away for quota`, value: told.quota, unit: 'sessions' },
    { what: `${what}: unavailable`, value: unavailable, unit: 'sessions', budget: 0, ok: unavailable === 0 },
    exactRow(what, outcome),
    { what: `${what}: answer, median`, value: Math.round(answers.p50), unit: 'ms' },
    { what: `${what}: answer, p99`, value: Math.round(answers.p99), unit: 'ms' },
    { what: `${what}: last answer after the first CONNECT`, value: Math.round(outcome.lastAnswerMs), unit: 'ms' },
    { what: `${what}: CONNECTs being decided at once, at most`, value: outcome.atOnce, unit: 'CONNECTs' },
    lastingRow(`${what}: all events applied after the last answer`, quietAfterMs),
    { what: `${what}: left to the sweeper`, value: outcome.leases.found, unit: 'attempts' },
  ];
}

/** Read from what clients were told; it must be 0 whatever the database did. */
function exactRow(what: string, { overAdmitted, falselyRejected, used, live, leases }: Outcome): Row {
  const wrong = overAdmitted + falselyRejected + Math.abs(used - live) + leases.left;
  return {
    what: `${what}: let in above the limit, turned away below it, counted and not there, or never settled`,
    value: wrong,
    unit: 'sessions',
    budget: 0,
    ok: wrong === 0,
    binding: true,
  };
}

function lastingRow(what: string, milliseconds: number | undefined): Row {
  const given = milliseconds !== undefined;
  return {
    what: given ? what : `${what}: not in ten minutes`,
    value: Math.round(milliseconds ?? 0),
    unit: 'ms',
    ok: given,
  };
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

async function run({ full, say }: SectionOptions): Promise<SectionResult> {
  const rows: Row[] = [];
  const notes: string[] = [
    'Simulated: the code of authorizer, front door, presence and sweeper on a model of DynamoDB, SQS and IoT Core, with ' +
      'the parameters of docs/adr/figures/0001-contention.md; a pause between two tries is the SDK’s. Readings that may ' +
      'lag do not, processes start in no time, and Lambda has as many as it takes.',
  ];
  async function take<O extends Outcome>(what: string, work: () => Promise<O>): Promise<O> {
    const began = performance.now();
    const outcome = await work();
    say(`${what}: ${Math.round((performance.now() - began) / 1_000)} s`);
    notes.push(...notesOf(what, outcome));
    return outcome;
  }
  async function connect(what: string, work: () => Promise<Outcome>, expected?: Expected): Promise<void> {
    rows.push(...rowsOf(what, await take(what, work), expected));
  }

  for (const limit of [1_000, 100]) {
    const expected = { letIn: Math.min(500, limit) };
    await connect(`500 new at once, limit ${limit}`, () => burst({ seed, sessions: 500, limit }), expected);
  }
  const seconds = full ? 10 : 1;
  for (const way of ways) {
    const what = `${perSecond}/s over 30,000 usernames for ${seconds} s${way.name}`;
    const load = { seed, usernames: 30_000, perSecond, seconds, doors: way.doors };
    await connect(what, () => manyUsernames(load), { letIn: perSecond * seconds });
  }
  const sessions = full ? fleetSizes.full : fleetSizes.quick;
  for (const { as, limit, way } of fleets(sessions, full)) {
    const held = typeof limit === 'number' ? `limit ${limit}` : limit === 'none' ? 'no limit' : limit;
    const what = `${sessions} ${as} of one username at ${perSecond}/s, ${held}${way.name}`;
    const load = { seed, sessions, perSecond, limit, as, doors: way.doors };
    await connect(what, () => fleetReturns(load), { letIn: sessions });
  }
  // Each rejection straight to the broker reads the roster item once, and a partition gives 3,000 readings a second.
  for (const { way, rate } of [{ way: straight, rate: 2_500 }, ...ways.map((way) => ({ way, rate: perSecond }))]) {
    const limit = sessions / 10;
    const what = `${sessions} new of one username at ${rate}/s, limit ${limit}${way.name}`;
    const load = { seed, sessions, perSecond: rate, limit, as: 'new', doors: way.doors } as const;
    await connect(what, () => fleetReturns(load), { letIn: limit });
  }
  const changing = `${sessions} of one username at ${perSecond}/s, limit ${sessions}, halved and set back`;
  await connect(changing, () => limitChanges({ seed, sessions, perSecond, limit: sessions }));
  for (const way of ways) {
    const what = `${sessions} of one username end within a second${way.name}`;
    const left = await take(what, () => fleetLeaves({ seed, sessions, doors: way.doors }));
    rows.push(lastingRow(`${what}: none counted after`, left.freedAfterMs), exactRow(what, left));
  }
  return { rows, notes };
}

const straight = { name: '', doors: 0 };
const byDoor = { name: ', through the front door', doors };
const ways = [straight, byDoor];

interface Fleet {
  readonly as: 'new' | 'retained';
  readonly limit: FleetLimit;
  readonly way: (typeof ways)[number];
}

function fleets(sessions: number, full: boolean): readonly Fleet[] {
  const limits: readonly FleetLimit[] = full ? [sessions, 'whitelisted', 'none'] : [sessions];
  const kinds = ['new', 'retained'] as const;
  return kinds.flatMap((as) => [
    ...limits.map((limit) => ({ as, limit, way: straight })),
    { as, limit: sessions, way: byDoor },
  ]);
}

export const section: Section = { name: 'fleet', title: 'Contention, in simulated time', run };
