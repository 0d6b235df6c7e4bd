import { expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';

const draws = 2_000;

test.each([
  ['attemptId', 16],
  ['place', 8],
  ['revision', 6],
] as const)('%s is %i random bytes: no two alike, and every bit is now set and now not', (what, length) => {
  const drawn = Array.from({ length: draws }, () => cryptoRandom[what]());
  expect(new Set(drawn).size).toBe(draws);
  const bytes = drawn.map((text) => Buffer.from(text, 'base64url'));
  for (const one of bytes) expect(one).toHaveLength(length);
  for (let bit = 0; bit < length * 8; bit += 1) {
    const set = bytes.filter((one) => ((one[bit >> 3] ?? 0) >> (bit & 7)) & 1).length;
    // A fair coin is outside of this once in more than 10^80 tries.
    expect(set).toBeGreaterThan(draws * 0.25);
    expect(set).toBeLessThan(draws * 0.75);
  }
});
