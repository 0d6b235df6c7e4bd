// Newcomers of one username that a process decides about at the same moment: counted in few writes, and exactly.

import { expect, test } from 'vitest';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { createCore } from './rig.ts';

const demo = 'demo' as DeploymentId;

type Send = (command: { readonly constructor: { readonly name: string }; readonly input: object }) => Promise<unknown>;

/** `fate`: what becomes of the n-th write of a roster. */
function start(fate: (n: number) => 'passes' | 'is lost' | 'times out' = () => 'passes') {
  const client = createMemoryClient();
  const send = client.send.bind(client) as unknown as Send;
  const counted: number[] = [];
  const watched: Send = async (command) => {
    const { Key, ExpressionAttributeValues: values } = command.input as {
      readonly Key?: { readonly pk: string };
      readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
    };
    if (command.constructor.name !== 'UpdateCommand' || Key?.pk.startsWith('N|') !== true) return send(command);
    counted.push(Number(values?.[':count'] ?? 1));
    const becomes = fate(counted.length);
    const answer = becomes === 'is lost' ? undefined : await send(command);
    if (becomes === 'passes') return answer;
    throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
  };
  const core = createCore({ send: watched } as unknown as DocumentClient, 'memory');
  const arrive = (arrivals: number, max: number) => {
    core.max = max;
    return Promise.allSettled(Array.from({ length: arrivals }, (_, n) => core.connect('alice', `c${n}`)));
  };
  return { core, arrive, counted };
}

test('S4: 40 at once far from the limit are counted in a few writes', async () => {
  const { core, arrive, counted } = start();
  const decided = await arrive(40, 1_000);
  expect(decided.every((one) => one.status === 'fulfilled' && one.value.kind === 'admitted')).toBe(true);
  expect(await core.used('alice')).toBe(40);
  expect(counted.length).toBeLessThan(6);
});

test.each([1, 2, 33, 39])('S4: 40 at once at limit %i are as many as there is room for', async (max) => {
  const { core, arrive } = start();
  const decided = await arrive(40, max);
  const kinds = decided.map((one) => (one.status === 'fulfilled' ? one.value.kind : 'failed'));
  expect(kinds.filter((kind) => kind === 'admitted')).toHaveLength(max);
  expect(kinds.filter((kind) => kind === 'rejected')).toHaveLength(40 - max);
  expect(await core.used('alice')).toBe(max);
});

test.each(['is lost', 'times out'] as const)(
  'a write of many whose answer does not come, because it %s, counts nobody twice and keeps nobody out',
  async (fate) => {
    const { core, arrive, counted } = start((n) => (n === 2 ? fate : 'passes'));
    const decided = await arrive(20, 20);
    expect(counted[1]).toBe(19);
    expect(decided.every((one) => one.status === 'fulfilled' && one.value.kind === 'admitted')).toBe(true);
    expect(await core.used('alice')).toBe(20);
  },
);

test('those who go by different limits are not counted in one write, and each by its own', async () => {
  const { core, counted } = start();
  const decided = await Promise.all(
    Array.from({ length: 12 }, (_, n) => core.connect('alice', `c${n}`, { heldMax: n % 2 === 0 ? 100 : 4 })),
  );
  const told = (rest: number) => decided.filter((one, n) => n % 2 === rest && one.kind === 'admitted').length;
  expect(told(0)).toBe(6);
  expect(told(1)).toBeLessThanOrEqual(4);
  expect(await core.used('alice')).toBe(6 + told(1));
  expect(counted.some((count) => count > 1)).toBe(true);
});

test('a place that waits twice, because its client came again, counts once', async () => {
  const { core, counted } = start();
  const place = () => cryptoRandom.place();
  const [first, twice, third] = [place(), place(), place()];
  const add = (one: Place) => core.store.addPlace(demo, 'alice' as Username, one, 100, core.now());
  const kinds = await Promise.all([first, twice, third, twice].map(add));
  expect(kinds.map(({ kind }) => kind)).toEqual(['added', 'added', 'added', 'present']);
  expect(await core.used('alice')).toBe(3);
  expect(counted).toContain(2);
});
