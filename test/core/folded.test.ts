// A session that comes to be counted by a number while somebody else is at its count: it counts once, no more and no less.

import { beforeEach, describe, expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { countAgain } from '../../shared/app/counter/commit.ts';
import { countNewcomer } from '../../shared/app/counter/count-newcomer.ts';
import { recount } from '../../shared/app/counter/recount.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { isFolded } from '../../shared/domain/place.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { addSeconds, seconds } from '../../shared/domain/time.ts';
import type { Stored } from '../../shared/ports/presence/sessions.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';

const names = { deploymentId: 'demo' as DeploymentId, username: 'fleet' as Username, clientId: 'c' as ClientId };
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
/** Each session of a lane is folded when it is confirmed, and its place leaves at once. */
const layout = { wideAt: 2, lanes: 2, reserveMax: 8, near: 4, foldAt: 1, dropAt: 1 };

let core: Core;
beforeEach(() => begins(layout));

async function begins(one: typeof layout): Promise<void> {
  core = createCore(createMemoryClient(), 'table', undefined, { layout: one });
  core.max = 100;
  for (const clientId of ['a', 'b']) await core.join('fleet', clientId);
}

async function put(session: Session, expected?: Stored<Session>): Promise<Stored<Session>> {
  const done = await core.store.putSession(session, expected);
  if (done.kind !== 'done') throw new Error('somebody wrote first');
  return { value: done.value, revision: done.revision };
}

/** The record of an attempt, whose place in a lane is not counted yet. */
async function begin(): Promise<Stored<Session>> {
  const roster = await core.store.readRoster(names.deploymentId, names.username);
  const place = core.store.placeFor(names, cryptoRandom.place(), roster, 100);
  const attempt = cryptoRandom.attemptId();
  const admission = { attempt, witness: 'door', at: core.now(), expirySeconds: seconds(0) } as const;
  return put(startSession(names, place, admission, policy, undefined, false));
}

const confirm = (begun: Stored<Session>): Promise<Stored<Session>> =>
  put(confirmSession(begun.value, { at: core.now(), expirySeconds: seconds(0) }, policy), begun);

test('I2: a session that is folded while it is counted again stays counted', async () => {
  const stored = await confirm(await begin());
  expect([isFolded(stored.value.place), await core.used('fleet')]).toEqual([false, 2]);
  const outcome = await countAgain(
    {
      ...core.store,
      async addPlace(...given) {
        const added = await core.store.addPlace(...given);
        // Another message of the same session.
        const next = await put({ ...stored.value, dueAt: addSeconds(stored.value.dueAt, seconds(1)) }, stored);
        expect(isFolded(next.value.place)).toBe(true);
        return added;
      },
    },
    stored.value,
  );
  expect([outcome, await core.used('fleet')]).toEqual(['counted', 3]);
});

const newcomer = (met: Stored<Session>) => ({
  stored: met,
  isMet: true,
  max: 100,
  checkTime: () => undefined,
  readLimit: async () => 100,
  reclaim: async () => false,
});

/** The attempt's own CONNECT counts it, and it is confirmed and folded. */
async function countAndFold(met: Stored<Session>): Promise<void> {
  const { place, dueAt } = met.value;
  await core.store.addPlace(names.deploymentId, names.username, place, 100, dueAt, { wakeBy: core.now() });
  expect(isFolded((await confirm(met)).value.place)).toBe(true);
}

/** The same, right behind the first reading of the record. */
function foldingBehind(met: Stored<Session>): Core['store'] {
  let isFirst = true;
  return {
    ...core.store,
    async readSession(...given) {
      const read = await core.store.readSession(...given);
      if (isFirst) await countAndFold(met);
      isFirst = false;
      return read;
    },
  };
}

describe.each([
  ['a lane', layout],
  ['the roster item', { ...layout, near: 1_000 }],
])('I2: in %s, a session that is confirmed and folded', (_, one) => {
  let met: Stored<Session>;
  beforeEach(async () => {
    await begins(one);
    met = await begin();
  });

  test('before an outage’s replay counts it is not counted a second time', async () => {
    await countAndFold(met);
    expect(await countAgain(core.store, met.value)).toBe('present');
    expect(await core.used('fleet')).toBe(3);
  });

  test('between the look of an outage’s replay and its count is not counted a second time', async () => {
    expect(await countAgain(foldingBehind(met), met.value)).toBe('present');
    expect(await core.used('fleet')).toBe(3);
  });

  test('between the look of a CONNECT that met it and its count is not counted a second time', async () => {
    const ports = { ...core.ports, store: foldingBehind(met), random: cryptoRandom };
    expect(await countNewcomer(ports, newcomer(met))).toMatchObject({ kind: 'changed' });
    expect(await core.used('fleet')).toBe(3);
  });

  test('and is counted a second time all the same counts once after one recount', async () => {
    await countAndFold(met);
    const { place, dueAt } = met.value;
    await core.store.addPlace(names.deploymentId, names.username, place, 1e9, dueAt, { forced: true });
    expect(await core.used('fleet')).toBe(4);
    await recount(core.ports, names.deploymentId, names.username);
    expect(await core.used('fleet')).toBe(3);
  });
});

test('I2: a session that comes during a recount, and is folded with its place left behind, counts once', async () => {
  await begins({ ...layout, dropAt: 8 });
  let isFirst = true;
  const store: Core['store'] = {
    ...core.store,
    async listSessions(...given) {
      if (isFirst) await countAndFold(await begin());
      isFirst = false;
      return core.store.listSessions(...given);
    },
  };
  await recount({ ...core.ports, store }, names.deploymentId, names.username);
  expect(await core.used('fleet')).toBe(3);
});

test('I2: an attempt that was confirmed and folded since its record was met is not counted a second time', async () => {
  const met = await begin();
  await countAndFold(met);
  const outcome = await countNewcomer({ ...core.ports, random: cryptoRandom }, newcomer(met));
  expect([outcome.kind, await core.used('fleet')]).toEqual(['changed', 3]);
});
