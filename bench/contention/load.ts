// A load: so many CONNECTs (or ends) arriving in such a way, run against one candidate, and what came of them.

import {
  counterName,
  createCandidates,
  homeShard,
  type Layout,
  type Retry,
  type Session,
  sessionWrite,
  type Verdict,
} from './candidates.ts';
import { Chance } from './chance.ts';
import { type Answer, Database } from './database.ts';
import { defaults, type Parameters } from './parameters.ts';
import { type Process, Simulation } from './simulation.ts';

export interface Load {
  readonly candidate: 'transaction' | 'claim' | 'roster';
  readonly does: 'new' | 'reconnect' | 'free';
  readonly sessions: number;
  /** Spread evenly over so many usernames. */
  readonly usernames: number;
  /** Each second, Poisson; absent: all at once. */
  readonly perSecond?: number;
  readonly limit: number;
  readonly layout?: Partial<Layout>;
  /** Every admission is followed by the write that confirms it. */
  readonly confirms?: boolean;
}

export interface Outcome {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Milliseconds from CONNECT to answer, over all of them. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** From the first arrival to the last answer. */
  readonly lastAnswerMs: number;
  /** The most that one username was ever counted, at the end. */
  readonly used: number;
  readonly conflicts: number;
  readonly throttles: number;
  readonly writeUnits: number;
}

export function runLoad(load: Load, seed: number, changed: Partial<Parameters> = {}): Outcome {
  const parameters = { ...defaults, ...changed };
  const chance = new Chance(seed);
  const simulation = new Simulation();
  const database = new Database(simulation, chance, parameters);
  const candidate = createCandidates(simulation, database).find(({ name }) => name === load.candidate);
  if (candidate === undefined) throw new Error(`no candidate ${load.candidate}`);
  const layout: Layout = { shards: 1, sessionPartitions: 1, fold: 0, ...load.layout };
  const verdicts: Record<Verdict, number> = { admitted: 0, full: 0, unavailable: 0 };
  const latencies: number[] = [];
  let lastAnswerMs = 0;

  const retryUntil = (deadline: number): Retry =>
    function* retry(request: () => Process<Answer>): Process<Answer> {
      for (let tries = 0; ; tries++) {
        const answer = yield* request();
        if (answer === 'done' || answer === 'refused') return answer;
        const cap = Math.min(parameters.backoffCapMs, parameters.backoffBaseMs * 2 ** tries);
        const pause = chance.uniform() * cap;
        if (simulation.now + pause > deadline) return answer;
        yield pause;
      }
    };

  function* act(session: Session): Process<void> {
    const began = simulation.now;
    // What ends is not answered to anybody: its message is delivered again until it is done.
    const retry = retryUntil(load.does === 'free' ? Number.POSITIVE_INFINITY : began + parameters.budgetMs);
    const verdict = yield* perform(session, retry);
    const late = load.does !== 'free' && simulation.now > began + parameters.budgetMs;
    verdicts[late ? 'unavailable' : verdict]++;
    latencies.push(simulation.now - began);
    lastAnswerMs = simulation.now;
    if (load.confirms !== true || verdict !== 'admitted') return;
    yield parameters.confirmAfterMs;
    yield* retryUntil(Number.POSITIVE_INFINITY)(() =>
      database.write(sessionWrite(session, { due: false, lease: true })),
    );
  }

  function* perform(session: Session, retry: Retry): Process<Verdict> {
    if (candidate === undefined) return 'unavailable';
    if (load.does === 'new') return yield* candidate.admit(session, retry);
    if (load.does === 'free') return yield* candidate.free(session, retry);
    const read = yield* retry(() => database.read([sessionWrite(session, { due: false, lease: true }).partition]));
    if (read !== 'done') return 'unavailable';
    const met = yield* retry(() => database.write(sessionWrite(session, { due: false, lease: true })));
    return met === 'done' ? 'admitted' : 'unavailable';
  }

  let arrival = 0;
  for (let client = 0; client < load.sessions; client++) {
    const session = { username: client % load.usernames, client, limit: load.limit, layout };
    if (load.does === 'free') {
      const counter = database.item(counterName(session, homeShard(session)));
      counter.used++;
      if (load.candidate === 'roster' && layout.fold === 0) counter.bytes += 9;
    }
    if (load.perSecond !== undefined) arrival += chance.exponential(1_000 / load.perSecond);
    simulation.spawn(act(session), arrival);
  }
  simulation.run();

  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1] ?? 0;
  const used = Array.from({ length: load.usernames }, (_, username) => {
    const counters = Array.from({ length: layout.shards }, (_, shard) => ({
      username,
      client: 0,
      limit: 0,
      layout,
      shard,
    }));
    return counters.reduce((sum, each) => sum + database.item(counterName(each, each.shard)).used, 0);
  });
  return {
    verdicts,
    p50: quantile(0.5),
    p99: quantile(0.99),
    max: quantile(1),
    lastAnswerMs,
    used: Math.max(...used),
    conflicts: database.answers.conflict,
    throttles: database.answers.throttled,
    writeUnits: database.writeUnits,
  };
}
