import { describe, expect, test } from 'vitest';
import type { EffectiveLimit } from '../../shared/domain/limit.ts';
import { decideNotice } from '../../shared/domain/notice.ts';

const of = (max: number): EffectiveLimit => ({ kind: 'number', max });

describe('a limit that is a number', () => {
  test.each([
    // used, limit, was told, what is told now
    [0, 1, false, undefined],
    [1, 1, false, 'set'],
    [1, 1, true, undefined],
    [0, 1, true, 'clear'],
    [3, 5, false, undefined],
    [4, 5, false, 'set'],
    [4, 5, true, undefined],
    [3, 5, true, 'clear'],
    [7, 10, false, undefined],
    [8, 10, false, 'set'],
    [8, 10, true, undefined],
    [7, 10, true, 'clear'],
    [79, 100, false, undefined],
    [80, 100, false, 'set'],
    [71, 100, true, undefined],
    [70, 100, true, 'clear'],
    // Over it, where the limit was lowered.
    [500, 100, false, 'set'],
    [500, 100, true, undefined],
    // 0.7 and 0.8 of these are no whole numbers, and no binary fractions.
    [799_999, 1_000_000, false, undefined],
    [800_000, 1_000_000, false, 'set'],
    [2, 3, false, undefined],
    [3, 3, false, 'set'],
    [3, 4, true, undefined],
    [2, 3, true, 'clear'],
  ] as const)('%i of %i, told: %s -> %s', (used, max, notified, told) => {
    expect(decideNotice(used, of(max), notified)).toBe(told);
  });

  test('between the two marks nothing is told, whatever was told last', () => {
    for (const notified of [false, true])
      for (const used of [71, 75, 79]) expect(decideNotice(used, of(100), notified)).toBeUndefined();
  });
});

test.each([
  [{ kind: 'none' }],
  [{ kind: 'unlimited', because: 'whitelist' }],
  [{ kind: 'unlimited', because: 'override' }],
  [{ kind: 'blocked' }],
] as const)('no number to come near to, %j: nothing is set, and what was set is cleared', (limit) => {
  expect(decideNotice(1_000, limit, false)).toBeUndefined();
  expect(decideNotice(1_000, limit, true)).toBe('clear');
});
