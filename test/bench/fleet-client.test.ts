import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asBuilt } from '../../bench/fleet/installation.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';

// The simulation does by itself what the SDK does between two tries; here is the SDK, and the client as the product
// makes it.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** When a request was tried that always ends in this error, in milliseconds from the first try. */
async function triesOf(errorName: string): Promise<readonly number[]> {
  const client = createDocumentClient({ endpoint: 'http://127.0.0.1:1', requestTimeoutMs: 800 });
  const tries: number[] = [];
  client.config.requestHandler.handle = () => {
    tries.push(Date.now());
    return Promise.reject(Object.assign(new Error('no'), { name: errorName }));
  };
  const ended = client.send(new GetCommand({ TableName: 't', Key: { pk: 'p', sk: 's' } })).catch(() => undefined);
  let over = false;
  const end = ended.then(() => {
    over = true;
  });
  // Time goes on only here, and the client reads its configuration from files in between.
  while (!over) {
    await vi.advanceTimersByTimeAsync(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await end;
  client.destroy();
  return tries.map((at) => at - (tries[0] ?? 0));
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
