// Each deployment has its own share of DeleteConnection on the connect path.

import { expect, test } from 'vitest';
import { withinShare } from '../../shared/adapters/node/ending-share.ts';
import { takeoverBurst, takeoversPerSecond } from '../../shared/config/constants.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';

test('a deployment beyond its share is answered unknown and not sent; another is served, and time fills it again', async () => {
  let now = 0;
  const sent: string[] = [];
  const broker = withinShare(
    {
      deleteConnection: async (id) => {
        sent.push(id);
        return 'done';
      },
    },
    { now: () => ms(now) },
  );
  const end = (id: string) => broker.deleteConnection(id as BrokerClientId, { cleanSession: true });
  const told = await Promise.all(Array.from({ length: takeoverBurst + 5 }, (_, n) => end(`noisy:${n}`)));
  expect(told.filter((one) => one === 'done')).toHaveLength(takeoverBurst);
  expect(told.filter((one) => one === 'unknown')).toHaveLength(5);
  expect(sent).toHaveLength(takeoverBurst);
  expect(await end('quiet:one')).toBe('done');
  now += 1_000;
  const later = await Promise.all(Array.from({ length: takeoverBurst }, (_, n) => end(`noisy:${n}`)));
  expect(later.filter((one) => one === 'done')).toHaveLength(takeoversPerSecond);
});
