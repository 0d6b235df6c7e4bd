// Reads that are asked for at the same moment go in one request, and nobody is given an older answer or waits for another's
// item.

import { expect, test } from 'vitest';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createGatheredReads } from '../../shared/adapters/dynamodb/common/gathered-reads.ts';
import type { Key } from '../../shared/adapters/dynamodb/common/keys.ts';

interface Sent {
  readonly name: string;
  readonly keys: readonly string[];
  readonly consistent: unknown;
  answer(reply: { items?: readonly string[]; unread?: readonly string[] }): void;
  fail(error: Error): void;
}

const key = (sk: string): Key => ({ pk: 'S|demo', sk });

/** A database whose answers the test gives. */
function start() {
  const sent: Sent[] = [];
  const client = {
    send: (command: { constructor: { name: string }; input: Record<string, unknown> }) =>
      new Promise((resolve, fail) => {
        const { name } = command.constructor;
        const batch = (command.input.RequestItems as Record<string, { Keys: Key[]; ConsistentRead: boolean }>)?.t;
        const keys = batch?.Keys ?? [command.input.Key as Key];
        const item = (sk: string) => ({ ...key(sk), from: sent.length });
        sent.push({
          name,
          keys: keys.map(({ sk }) => String(sk)),
          consistent: batch?.ConsistentRead ?? command.input.ConsistentRead,
          fail,
          answer: ({ items = [], unread = [] }) =>
            resolve(
              batch === undefined
                ? { Item: items[0] === undefined ? undefined : item(items[0]) }
                : { Responses: { t: items.map(item) }, UnprocessedKeys: { t: { Keys: unread.map(key) } } },
            ),
        });
      }),
  };
  const paused: (() => void)[] = [];
  const backOff = () => new Promise<void>((resolve) => paused.push(resolve));
  const table = { client: client as unknown as DocumentClient, tableName: 't', backOff };
  return { sent, paused, ...createGatheredReads(table) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is asked for in one turn is one request, each item once; a single one is a plain reading', async () => {
  const { sent, consistent, lagging } = start();
  const read = Promise.all([consistent(key('a')), consistent(key('b')), consistent(key('a')), lagging(key('c'))]);
  await turn();
  expect(sent).toMatchObject([
    { name: 'BatchGetCommand', keys: ['a', 'b'], consistent: true },
    { name: 'GetCommand', keys: ['c'], consistent: false },
  ]);
  sent[0]?.answer({ items: ['b'] });
  sent[1]?.answer({ items: ['c'] });
  const [a, b, again, c] = await read;
  expect([a, b?.sk, again, c?.sk]).toEqual([undefined, 'b', undefined, 'c']);
});

test('who asks after a request was sent gets the answer of a later one', async () => {
  const { sent, consistent } = start();
  const first = consistent(key('a'));
  await turn();
  const second = consistent(key('a'));
  await turn();
  expect(sent).toHaveLength(2);
  sent[1]?.answer({ items: ['a'] });
  sent[0]?.answer({ items: [] });
  expect(await first).toBeUndefined();
  expect((await second)?.sk).toBe('a');
});

test('while eight requests are under way others wait and go together, or as soon as they fill a request', async () => {
  const { sent, consistent } = start();
  for (const sk of ['1', '2', '3', '4', '5', '6', '7', '8']) {
    void consistent(key(sk));
    await turn();
  }
  const waiting = [consistent(key('x')), consistent(key('y'))];
  await turn();
  expect(sent).toHaveLength(8);
  sent[2]?.answer({});
  await turn();
  expect(sent[8]?.keys).toEqual(['x', 'y']);
  sent[8]?.answer({});
  await Promise.all(waiting);
  for (let n = 0; n < 26; n++) void consistent(key(`many ${n}`));
  await turn();
  expect(sent.slice(9).map(({ keys }) => keys.length)).toEqual([25]);
  sent[0]?.answer({});
  await turn();
  expect(sent.slice(9).map(({ keys }) => keys.length)).toEqual([25, 1]);
});

test('an item that is not given at this moment is asked for again, and holds up nobody else', async () => {
  const { sent, paused, consistent } = start();
  const [cold, hot] = [consistent(key('cold')), consistent(key('hot'))];
  await turn();
  sent[0]?.answer({ items: ['cold'], unread: ['hot'] });
  expect((await cold)?.sk).toBe('cold');
  await turn();
  expect(sent).toHaveLength(1);
  paused[0]?.();
  await turn();
  expect(sent[1]?.keys).toEqual(['hot']);
  sent[1]?.answer({ items: ['hot'] });
  expect((await hot)?.sk).toBe('hot');
});

test('an item that is never given is an error of those who asked for it, after eight tries', async () => {
  const { sent, paused, consistent } = start();
  const asked = Promise.allSettled([consistent(key('a')), consistent(key('b'))]);
  await turn();
  sent[0]?.answer({ unread: ['a', 'b'] });
  for (let n = 1; n < 8; n++) {
    await turn();
    for (const resume of paused.splice(0)) resume();
    await turn();
    sent[n]?.answer({ unread: ['a', 'b'] });
  }
  expect(await asked).toMatchObject([
    { status: 'rejected', reason: { name: 'StoreUnavailable' } },
    { status: 'rejected', reason: { name: 'StoreUnavailable' } },
  ]);
  expect(sent).toHaveLength(8);
});

test('a request that is throttled as a whole gives its turn to others while it waits', async () => {
  const { sent, paused, consistent } = start();
  const hot = consistent(key('hot'));
  await turn();
  sent[0]?.fail(Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' }));
  await turn();
  const others = Array.from({ length: 8 }, async (_, n) => consistent(key(`cold ${n}`)));
  await turn();
  expect(sent[1]?.keys).toHaveLength(8);
  sent[1]?.answer({});
  await Promise.all(others);
  for (const resume of paused) resume();
  await turn();
  sent[2]?.answer({ items: ['hot'] });
  expect((await hot)?.sk).toBe('hot');
});

test('a request that fails fails for those who are in it, and the next one is sent', async () => {
  const { sent, consistent } = start();
  const lost = Promise.allSettled([consistent(key('a')), consistent(key('b'))]);
  await turn();
  sent[0]?.fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const next = consistent(key('a'));
  await turn();
  sent[1]?.answer({ items: ['a'] });
  expect((await next)?.sk).toBe('a');
});
