// What signals do to the local run.

import { expect, test } from 'vitest';
import { createStopSignal } from '../../local/shutdown.ts';

test('the first Ctrl-C stops in order, the one that npm repeats does nothing, and the second ends at once', () => {
  let now = 0;
  const done: string[] = [];
  const signal = createStopSignal(
    () => done.push('stop'),
    () => done.push('end'),
    () => now,
  );
  signal();
  now = 100;
  signal();
  expect(done).toEqual(['stop']);
  now = 700;
  signal();
  expect(done).toEqual(['stop', 'end']);
});
