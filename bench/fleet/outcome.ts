// What came of a run, in figures.

import type { Clients } from './clients.ts';
import type { Installation } from './installation.ts';
import type { Hot } from './partitions.ts';

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Outcome {
  readonly told: Clients['told'];
  /** Admitted, or known again, within 3 s of its CONNECT. */
  readonly inTime: number;
  /** Milliseconds from CONNECT to answer. */
  readonly answers: Spread;
  /** From the first CONNECT to the last answer. */
  readonly lastAnswerMs: number;
  /** Why CONNECTs were unavailable, the most frequent first. */
  readonly reasons: readonly (readonly [string, number])[];
  /** Let in by a limit that was reached before they came, and turned away below it: both are 0, whatever the store does. */
  readonly overAdmitted: number;
  readonly falselyRejected: number;
  /** All usernames together, when all is quiet. */
  readonly used: number;
  readonly live: number;
  /** From the last answer, or the last end, until every event was applied; undefined: it was not, in the time that was waited. */
  readonly quietAfterMs: number | undefined;
  /** Attempts whose lease had to be looked at by the sweeper when all was quiet, and those that were left in the end. */
  readonly leases: { readonly found: number; readonly left: number };
  readonly givenUp: number;
  /** CONNECTs being decided at once, at most: Lambda needs as many processes. */
  readonly atOnce: number;
  readonly requests: number;
  readonly throttled: number;
  readonly conflicts: number;
  readonly hottest: readonly Hot[];
}

function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
}

/** Far longer than anything should take: what is not done by then is told as not done. */
export const patienceMs = 600_000;

/** Waits until what is told has been applied and what was left open has been swept, then counts. */
export async function outcomeOf(
  installation: Installation,
  clients: Clients,
  since = clients.lastAnswerAt,
): Promise<Outcome> {
  const { queue, dynamo, atWork, time } = installation;
  await time.run(() => installation.quiet(patienceMs));
  const quietAfterMs = queue.size > 0 ? undefined : time.now - since;
  const { requests, throttled, conflicts } = dynamo.counts;
  const hottest = dynamo.partitions.hottest(6);
  const found = installation.countLeases();
  await time.run(() => installation.settled(patienceMs));
  let used = 0;
  for (const username of clients.usernames()) used += await installation.usedBy(username);
  const live = [...installation.liveSessions().values()].reduce((sum, each) => sum + each, 0);
  return {
    told: clients.told,
    inTime: clients.inTime,
    answers: spreadOf(clients.latencies),
    lastAnswerMs: clients.lastAnswerAt - (clients.firstAt ?? 0),
    reasons: [...clients.reasons].sort(([, a], [, b]) => b - a),
    overAdmitted: clients.overAdmitted,
    falselyRejected: clients.falselyRejected,
    used,
    live,
    quietAfterMs,
    leases: { found, left: installation.countLeases() },
    givenUp: queue.counts.givenUp,
    atOnce: atWork.peak,
    requests,
    throttled,
    conflicts,
    hottest,
  };
}
