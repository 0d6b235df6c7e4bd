// The loads of ADR 1 in the contention model.

import { throughputOfOneItem } from '../contention/calibrate.ts';
import { type Load, type Outcome, runLoad } from '../contention/load.ts';
import { defaults, type Parameters, sources } from '../contention/parameters.ts';
import { table, time, whole } from './tables.ts';

const candidates = ['transaction', 'claim', 'roster'] as const;

const outcomeHead = [
  'admitted',
  'full',
  'unavailable',
  'counted, not admitted',
  'p50',
  'p99',
  'max',
  'last answer',
  'conflicts',
  'throttles',
  'write units',
];

function cells(outcome: Outcome): readonly string[] {
  const { verdicts, used } = outcome;
  return [
    whole(verdicts.admitted),
    whole(verdicts.full),
    whole(verdicts.unavailable),
    whole(used - verdicts.admitted),
    time(outcome.p50),
    time(outcome.p99),
    time(outcome.max),
    time(outcome.lastAnswerMs),
    whole(outcome.conflicts),
    whole(outcome.throttles),
    whole(outcome.writeUnits),
  ];
}

/** Of five seeds the one with the fewest admitted; among equals the slowest. */
function worst(load: Load, seed: number, changed: Partial<Parameters> = {}): Outcome {
  const outcomes = [0, 1, 2, 3, 4].map((step) => runLoad(load, seed + step, changed));
  const sorted = outcomes.sort((a, b) => a.verdicts.admitted - b.verdicts.admitted || b.max - a.max);
  const [first] = sorted;
  if (first === undefined) throw new Error('five runs have a worst one');
  return first;
}

const atOnce = (candidate: Load['candidate'], sessions: number, limit: number): Load => ({
  candidate,
  does: 'new',
  sessions,
  usernames: 1,
  limit,
});

export function contentionFigures(seed: number): readonly string[] {
  const bursts: readonly (readonly [number, number])[] = [
    [500, 1_000],
    [300, 1_000],
    [500, 100],
    [500, 1],
  ];
  const fleet = { usernames: 1, sessions: 100_000, perSecond: 3_000, limit: 100_000, confirms: true } as const;
  const spread = { usernames: 3_000, sessions: 30_000, perSecond: 3_000, limit: 100, confirms: true } as const;
  const layouts: readonly (readonly [number, number, number])[] = [
    [1, 1, 0],
    [1, 1, 10],
    [8, 8, 0],
    [8, 8, 10],
    [16, 16, 0],
    [16, 16, 10],
    [64, 16, 0],
    [64, 16, 10],
    [1_024, 16, 0],
  ];

  return [
    '## What the model believes',
    table(
      ['parameter', 'value', 'from'],
      Object.entries(sources).map(([name, source]) => [
        `\`${name}\``,
        String(defaults[name as keyof Parameters]),
        source,
      ]),
    ),
    "Not in it: cold starts and concurrency of functions, adaptive capacity (a partition that stays hot is split after minutes, best effort), the account's limits, lost messages.",

    '## What one item takes',
    '200 clients that want one item all the time; requests a second that got through.',
    table(
      ['hold of a transaction', 'transactions', 'plain updates'],
      [4, defaults.holdMs, 16].map((holdMs) => [
        `${holdMs} ms${holdMs === defaults.holdMs ? ' (used below)' : ''}`,
        whole(throughputOfOneItem('transactions', seed, { holdMs })),
        whole(throughputOfOneItem('plain updates', seed, { holdMs })),
      ]),
    ),

    '## New sessions of one username, all at once',
    'The worst of five. Budget: an answer within 3 s; `counted, not admitted` is what the lease gives back later.',
    table(
      ['sessions / limit', 'candidate', ...outcomeHead],
      bursts.flatMap(([sessions, limit]) =>
        candidates.map((candidate) => [
          `${sessions} / ${whole(limit)}`,
          candidate,
          ...cells(worst(atOnce(candidate, sessions, limit), seed)),
        ]),
      ),
    ),

    'The same 500 with limit 1,000 where a partition keeps more of what it did not use:',
    table(
      ['seconds of burst', 'candidate', ...outcomeHead],
      [1, 300].flatMap((burstSeconds) =>
        candidates.map((candidate) => [
          burstSeconds,
          candidate,
          ...cells(worst(atOnce(candidate, 500, 1_000), seed, { burstSeconds })),
        ]),
      ),
    ),

    'The same 500 in a roster that is folded (10 places in one write, after confirm) or split:',
    table(
      ['counter shards', 'session partitions', 'fold', ...outcomeHead],
      (
        [
          [1, 1, 0],
          [1, 1, 10],
          [8, 1, 0],
          [8, 8, 0],
          [16, 16, 0],
          [64, 16, 0],
        ] as const
      ).map(([shards, sessionPartitions, fold]) => [
        shards,
        sessionPartitions,
        fold,
        ...cells(worst({ ...atOnce('roster', 500, 1_000), layout: { shards, sessionPartitions, fold } }, seed)),
      ]),
    ),

    '## 3,000 CONNECT/s over 3,000 usernames, 10 s',
    table(
      ['candidate', ...outcomeHead],
      candidates.map((candidate) => {
        const outcome = runLoad({ candidate, does: 'new', ...spread }, seed);
        return [candidate, ...cells({ ...outcome, used: outcome.verdicts.admitted })];
      }),
    ),

    '## A fleet of 100,000 on one username at 3,000 CONNECT/s, limit 100,000',
    'As new sessions, each confirmed 1 s later by one more write of its item.',
    table(
      ['candidate', 'counter shards', 'session partitions', 'fold', ...outcomeHead],
      [
        ...layouts.map(([shards, sessionPartitions, fold]) => [
          'roster',
          shards,
          sessionPartitions,
          fold,
          ...cells(
            runLoad({ candidate: 'roster', does: 'new', ...fleet, layout: { shards, sessionPartitions, fold } }, seed),
          ),
        ]),
        ...(['claim', 'transaction'] as const).flatMap((candidate) =>
          [1, 16, 64].map((shards) => [
            candidate,
            shards,
            16,
            '-',
            ...cells(runLoad({ candidate, does: 'new', ...fleet, layout: { shards, sessionPartitions: 16 } }, seed)),
          ]),
        ),
      ],
    ),
    'As reconnects of sessions that are known (one write of the session item, one index entry; no counter), each confirmed 1 s later:',
    table(
      ['session partitions', ...outcomeHead],
      [1, 4, 8, 16].map((sessionPartitions) => {
        const outcome = runLoad(
          { candidate: 'roster', does: 'reconnect', ...fleet, layout: { sessionPartitions } },
          seed,
        );
        return [sessionPartitions, ...cells({ ...outcome, used: outcome.verdicts.admitted })];
      }),
    ),

    '## 500 sessions of one username end together',
    'The worst of five. Nobody waits for an answer: messages are repeated until done. `admitted` means freed.',
    table(
      ['candidate', ...outcomeHead],
      candidates.map((candidate) => {
        const outcome = worst({ ...atOnce(candidate, 500, 1_000), does: 'free' }, seed);
        return [candidate, ...cells({ ...outcome, used: outcome.used + outcome.verdicts.admitted })];
      }),
    ),
  ];
}
