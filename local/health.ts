// Whether a CONNECT can be decided. One that can writes, so this does: on a full disk the engine still reads. How clients
// were answered says nothing here: strangers alone could make it look bad, and a supervisor would restart the product.

import { askedWithin } from '../shared/adapters/node/deadline.ts';
import { doorBudgetMs } from '../shared/config/constants.ts';
import type { Ms } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';

/** A CONNECT makes about four requests, one after the other. */
const probeMs = doorBudgetMs / 4;
/** Whoever asks needs no token: however many ask, the database is asked once in so long. */
const holdsMs = 1_000;

/** `probe` throws, or does not answer, where the data cannot be written. */
export function createHealth(
  probe: () => Promise<unknown>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  withinMs: number = probeMs,
): () => Promise<boolean> {
  const ask = askedWithin(probe, withinMs);
  let last: { readonly at: Ms; readonly healthy: Promise<boolean> } | undefined;
  let wasHealthy = true;

  async function look(): Promise<boolean> {
    const problem = await ask(undefined).then(
      () => undefined,
      (error: unknown) => String(error instanceof Error ? (error.cause ?? error) : error),
    );
    const isHealthy = problem === undefined;
    if (isHealthy !== wasHealthy) {
      if (isHealthy) log.warn('the database can be written again');
      else log.error('the database cannot be written: each CONNECT is unavailable', { problem });
    }
    wasHealthy = isHealthy;
    return isHealthy;
  }

  return () => {
    const now = clock.now();
    if (last === undefined || Math.abs(now - last.at) >= holdsMs) last = { at: now, healthy: look() };
    return last.healthy;
  };
}
