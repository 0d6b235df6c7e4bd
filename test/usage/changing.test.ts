// S16: paging by username never skips or repeats a username that is there throughout, whatever comes and goes meanwhile.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Username } from '../../shared/domain/ids.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { createUsageRig, demo, type UsageRig } from './rig.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

/** Few letters, so that names lie close together, share prefixes, and order differently in UTF-8 and UTF-16. */
const letters = ['a', 'b', 'z', '\uFF5E', '\u{1F600}'];
const usernames = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 4 });

/** What happens between two pages: somebody comes, goes, or changes how many sessions it holds. */
const changes = fc.array(fc.record({ username: usernames, what: fc.constantFrom('join', 'leave', 'join twice') }), {
  maxLength: 5,
});

async function change(rig: UsageRig, username: string, what: string, keep: ReadonlySet<string>): Promise<void> {
  if (what !== 'leave') await rig.join(username, what === 'join' ? 1 : 2);
  // One of those that stay changes its count too, but keeps a session.
  else if (keep.has(username)) await rig.join(username).then(() => rig.leave(username));
  else await rig.leave(username, 3);
}

test('a username that is there throughout is on one page, once, and pages are in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(usernames, { minLength: 1, maxLength: 12 }),
      fc.array(usernames, { maxLength: 6 }),
      fc.infiniteStream(changes),
      fc.constantFrom<'asc' | 'desc'>('asc', 'desc'),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom('', 'a', '\uFF5E'),
      async (staying, passing, between, order, limit, prefix) => {
        const { client, tableName } = await createTestTable(engine.endpoint);
        const rig = await createUsageRig(client, tableName);
        const keep = new Set(staying);
        for (const username of new Set([...staying, ...passing])) await rig.join(username);
        const seen: string[] = [];
        for (let after: Username | undefined; ; ) {
          const page = await rig.usage.listUsernames(demo, {
            limit,
            order,
            prefix,
            ...(after === undefined ? {} : { after }),
          });
          seen.push(...page.items.map((one) => one.username));
          after = page.items.at(-1)?.username;
          if (!page.more || after === undefined) break;
          const [next = []] = between.take(1);
          for (const { username, what } of next) await change(rig, username, what, keep);
        }
        client.destroy();
        const ordered = [...seen].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(seen).toEqual(order === 'asc' ? ordered : ordered.reverse());
        expect(new Set(seen).size).toBe(seen.length);
        expect(new Set(seen)).toEqual(new Set([...seen, ...staying.filter((one) => one.startsWith(prefix))]));
        expect(seen.filter((one) => !one.startsWith(prefix))).toEqual([]);
      },
    ),
    { numRuns: 25, seed: 16 },
  );
}, 120_000);
