import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asBuilt } from '../../bench/fleet/installation.ts';
import { createTries } from '../../shared/adapters/dynamodb/common/tries.ts';

// The simulation does by itself what the client does between two tries; here is the client's own part.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** When work was tried that always ends in this error, in milliseconds from the first try. */
async function triesOf(name: string): Promise<readonly number[]> {
  const begun = Date.now();
  const tried: number[] = [];
  const work = () => {
    tried.push(Date.now() - begun);
    return Promise.reject(Object.assign(new Error('no'), { name }));
  };
  const ended = createTries()(work, () => undefined).catch(() => undefined);
  await vi.runAllTimersAsync();
  await ended;
  return tried;
}

describe('the client as the product makes it', () => {
  it('tries a throttled request again as the simulated one does', async () => {
    const tries = await triesOf('ProvisionedThroughputExceededException');
    expect(tries).toHaveLength(asBuilt.maxAttempts);
    expect(tries).toEqual([0, 0.5 * asBuilt.throttledBaseMs]);
  });

  it('tries one that timed out again as the simulated one does', async () => {
    const tries = await triesOf('TimeoutError');
    expect(tries).toEqual([0, Math.floor(0.5 * asBuilt.failedBaseMs)]);
  });
});
