// How a conditional write waits for what stands in its way: transactions that hold its item, or a partition that takes no
// more.

import {
  ConditionalCheckFailedException,
  ProvisionedThroughputExceededException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { Refused, refusable } from '../../shared/adapters/dynamodb/common/conditions.ts';

const words = { $metadata: {}, message: 'not now' };
const conflict = () => new TransactionConflictException(words);
const throttle = () => new ProvisionedThroughputExceededException(words);

/** A write that fails so often, each time with what `failure` gives. */
function write(failures: number, failure: () => Error) {
  const waits: number[] = [];
  let tries = 0;
  const answer = refusable(
    async () => {
      if (tries++ < failures) throw failure();
      return 'written' as const;
    },
    async (mostMs) => void waits.push(mostMs),
  );
  return { answer, waits, tries: () => tries };
}

test('a write that meets one transaction after the other is tried often, and never waits for long', async () => {
  const { answer, waits } = write(20, conflict);
  expect(await answer).toBe('written');
  expect(Math.max(...waits)).toBe(40);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(800);
});

test('it ends at last, as a database that did not answer', async () => {
  const { answer, waits, tries } = write(1_000, conflict);
  await expect(answer).rejects.toMatchObject({ name: 'StoreUnavailable' });
  expect(tries()).toBe(24);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(1_000);
});

test('a partition that takes no more is left alone for longer each time', async () => {
  const { answer, waits, tries } = write(1_000, throttle);
  await expect(answer).rejects.toMatchObject({ name: 'StoreUnavailable' });
  expect(tries()).toBe(8);
  expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640]);
});

test('a condition that fails is an answer at once, also behind a transaction', async () => {
  let tries = 0;
  const answer = await refusable(
    async () => {
      throw tries++ === 0 ? conflict() : new ConditionalCheckFailedException(words);
    },
    async () => undefined,
  );
  expect(answer).toBeInstanceOf(Refused);
  expect(tries).toBe(2);
});
