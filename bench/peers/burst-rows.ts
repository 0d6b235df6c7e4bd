// What the rounds of a burst come to, as rows of the report.

import type { Told } from '../clients/light-client.ts';
import { latencyRows, median } from '../latency/rounds.ts';
import type { Row } from '../section.ts';
import type { Round } from './measure.ts';

const spreadOf = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];

/** How many more than the limit were alive in the worst round. */
export function overshootOf(rounds: readonly Round[], limit: number): number {
  return Math.max(0, ...rounds.map(({ alive }) => alive - limit));
}

/** `name` is the peer's. `bound`: it promises that the limit holds (S4), so that one too many ends the benchmark. */
export function limitRows(
  name: string,
  { clients, limit }: { readonly clients: number; readonly limit: number },
  rounds: readonly Round[],
  bound: boolean,
): readonly Row[] {
  const at = `${name}, ${clients} CONNECT at once, limit ${limit}`;
  const alive = rounds.map((round) => round.alive);
  const overshoot = overshootOf(rounds, limit);
  const left = rounds.flatMap((round) => (round.left === undefined ? [] : [round.left]));
  const expected = Math.min(clients, limit);
  return [
    {
      what: `${at}: more alive at one instant than the limit, worst round`,
      value: overshoot,
      unit: 'clients',
      headline: true,
      ...(bound ? { budget: 0, ok: overshoot === 0, binding: true } : {}),
    },
    {
      what: `${at}: alive at one instant`,
      value: median(alive),
      unit: 'clients',
      spread: spreadOf(alive),
      // Who is refused because the machine is too slow is not refused for quota, so this is no promise.
      ...(bound ? { ok: alive.every((count) => count === expected) } : {}),
    },
    { what: `${at}: still counted when all have gone, worst round`, value: Math.max(0, ...left), unit: 'sessions' },
    ...speedRows(at, rounds),
  ];
}

/** Over rounds at every limit. A round in which nobody was alive had nobody to try it with. */
export function backRow(name: string, rounds: readonly Round[], bound: boolean): Row {
  const tried = rounds.filter(({ back }) => back !== undefined);
  const letIn = tried.filter(({ back }) => back === 0).length;
  return {
    what: `${name}: a client id that is alive, once more at the limit, is let in`,
    value: tried.length === 0 ? 0 : (100 * letIn) / tried.length,
    unit: '% of tries',
    headline: true,
    ...(bound ? { ok: letIn === tried.length } : {}),
  };
}

function speedRows(at: string, rounds: readonly Round[]): readonly Row[] {
  const perSecond = rounds.map((round) => round.perSecond);
  const times = { [at]: rounds.map(({ answers }) => answers.map(({ tookMs }) => tookMs)) };
  return [
    {
      what: `${at}: CONNECTs answered a second`,
      value: median(perSecond),
      unit: 'per second',
      spread: spreadOf(perSecond),
    },
    ...latencyRows(times, at, `${at}: CONNECT to its answer`),
  ];
}

function word(told: Told): string {
  return typeof told === 'number' ? `0x${told.toString(16).padStart(2, '0')}` : told;
}

/** What all clients of some rounds were told, most frequent first: `0x97 490 times, 0x00 10 times`. */
export function toldWords(rounds: readonly Round[]): string {
  const counts = new Map<Told, number>();
  for (const { told } of rounds.flatMap(({ answers }) => answers)) counts.set(told, (counts.get(told) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return sorted.map(([told, count]) => `${word(told)} ${count} times`).join(', ');
}
