// A failing schedule, made short enough to read: steps are left out in ever smaller pieces for as long as the same
// invariant breaks.

import type { RunConfig, Step } from './run-config.ts';
import type { Run } from './run-model.ts';
import { Violation } from './violation.ts';

export interface Failing {
  readonly config: RunConfig;
  readonly steps: readonly Step[];
  readonly run: Run;
}

export type Try = (config: RunConfig, steps: readonly Step[]) => Promise<Run>;

const plain: RunConfig = {
  witness: 'door',
  doorEvents: false,
  takeover: false,
  faults: 'none',
  drops: false,
  lateDials: false,
  admits: false,
  skew: false,
  wide: false,
  max: 1,
};
const triesAtMost = 600;

export async function shorten(failing: Failing, attempt: Try): Promise<Failing> {
  let best: Failing = { ...failing, steps: failing.steps.slice(0, failing.run.taken) };
  let tries = 0;
  const better = async (config: RunConfig, steps: readonly Step[]): Promise<boolean> => {
    tries++;
    const run = await attempt(config, steps);
    if (!sameFailure(run.failure, failing.run.failure)) return false;
    best = { config, steps: steps.slice(0, run.taken), run };
    return true;
  };
  for (
    let size = Math.ceil(best.steps.length / 2);
    size >= 1 && tries < triesAtMost;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = best.steps.length - size; from > -size && tries < triesAtMost; from -= size) {
      const start = Math.max(0, from);
      await better(best.config, [...best.steps.slice(0, start), ...best.steps.slice(start + size)]);
    }
  }
  for (const key of Object.keys(plain) as (keyof RunConfig)[])
    await better({ ...best.config, [key]: plain[key] }, best.steps);
  return best;
}

function sameFailure(a: Error | undefined, b: Error | undefined): boolean {
  if (a instanceof Violation && b instanceof Violation)
    return a.invariant === b.invariant && kindOfDetail(a) === kindOfDetail(b);
  return a !== undefined && b !== undefined && a.message === b.message;
}

/** What went wrong without whose it was. */
function kindOfDetail({ message }: Violation): string {
  return message.replaceAll(/-?\d+|ann|ben|c\d/g, '').slice(0, 60);
}
