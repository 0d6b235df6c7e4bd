// What is told of one load in simulated time, as rows and notes of the report.

import type { Row, SectionOptions, SectionResult } from '../section.ts';
import type { Outcome } from './outcome.ts';

export const seed = 1;
export const perSecond = 3_000;

/** Tasks of the front door that share such a load. */
const doors = 4;

export const straight = { name: '', doors: 0 };
export const byDoor = { name: ', through the front door', doors };
export const ways = [straight, byDoor];

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
export function exactRow(what: string, { overAdmitted, falselyRejected, used, live, leases }: Outcome): Row {
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

export function lastingRow(what: string, milliseconds: number | undefined): Row {
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

const simulated =
  'Simulated: the code of authorizer, front door, presence and sweeper on a model of DynamoDB, SQS and IoT Core, with ' +
  'the parameters of docs/adr/figures/0001-contention.md; a pause between two tries is the SDK’s. Readings that may ' +
  'lag do not, processes start in no time, and Lambda has as many as it takes.';

/** Rows and notes of a section, as its loads are tried one after the other. */
export function createTrials(say: SectionOptions['say']) {
  const rows: Row[] = [];
  const notes: string[] = [simulated];
  async function take<O extends Outcome>(what: string, work: () => Promise<O>): Promise<O> {
    const began = performance.now();
    const outcome = await work();
    say(`${what}: ${Math.round((performance.now() - began) / 1_000)} s`);
    notes.push(...notesOf(what, outcome));
    return outcome;
  }
  return {
    take,
    add: (...more: readonly Row[]) => void rows.push(...more),
    async connect(what: string, work: () => Promise<Outcome>, expected?: Expected): Promise<void> {
      rows.push(...rowsOf(what, await take(what, work), expected));
    },
    result: (): SectionResult => ({ rows, notes }),
  };
}
