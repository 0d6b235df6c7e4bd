// Exact under a burst (S4, I1): many clients at once, and not one too many; nothing left when all have gone (I3).

import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const rounds = 5;
const clients = 300;

test.each([
  { limit: 100, username: 'alice' },
  { limit: 1, username: 'bob' },
])(
  '300 clients at once at limit $limit: exactly $limit are admitted, in every round',
  async ({ limit, username }) => {
    await rig.limit(limit);
    for (let round = 0; round < rounds; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: clients }, (_, n) =>
          join(rig.product, { version: n % 2 === 0 ? 5 : 4, clientId: `c${n}`, username }),
        ),
      );
      const admitted = outcomes.filter(
        (outcome): outcome is PromiseFulfilledResult<MqttClient> => outcome.status === 'fulfilled',
      );
      const codes = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [Number((outcome.reason as { code: unknown }).code)] : [],
      );
      expect(admitted.length).toBe(limit);
      expect(codes.filter((code) => code !== 151 && code !== 3)).toEqual([]);
      // Alive at one instant, not only admitted.
      expect(admitted.filter(({ value }) => value.connected).length).toBe(limit);
      expect(await rig.used(username)).toBe(limit);
      await Promise.all(admitted.map(({ value }, n) => value.endAsync(n % 3 === 0)));
      await eventually(async () => (await rig.used(username)) === 0, `round ${round}: all have gone`);
      // And stay gone, whatever is told of them late; only then are their client ids anybody's.
      await rig.product.quiet();
      expect(await rig.used(username)).toBe(0);
    }
  },
  240_000,
);
