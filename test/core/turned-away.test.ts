// What others do with the record of an attempt between the moment in which the roster says that it is full and the end of
// that attempt.

import { expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import { countAgain } from '../../shared/app/counter/commit.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { inFlight } from '../../shared/domain/session/attempts.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import { createGate } from '../support/gate.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { createCore } from './rig.ts';

const alices = { deploymentId: 'demo' as DeploymentId, username: 'alice' as Username, clientId: 'c' as ClientId };

const isNoneInFlight = (session: Session): boolean =>
  session.ambiguity === 'inFlightKnown' && inFlight(session).length === 0;

/** As the message of a client that was let in during an outage is applied. */
async function countWhateverTheLimit(store: SessionStore): Promise<void> {
  const met = await store.readSession(alices);
  if (met === undefined) throw new Error('the attempt has not begun');
  const next: Session = { ...met.value, ambiguity: 'unknown', recounted: true };
  expect((await store.putSession(next, met)).kind).toBe('done');
  expect(await countAgain(store, next)).toBe('counted');
}

test.each([
  ['alice always', false],
  ['bob before', true],
])(
  'S3: who is counted meanwhile is not turned away from that session; the client id was used by %s',
  async (_who, was) => {
    let comes = false;
    const core = createCore(createMemoryClient(), 'table', (store) => ({
      ...store,
      async readForConnect(names, lookFor) {
        const view = await store.readForConnect(names, lookFor);
        return comes ? { ...view, roster: { used: 0, places: new Set() }, rosterIsExact: false } : view;
      },
      async addPlace(...given) {
        const outcome = await store.addPlace(...given);
        if (comes && outcome.kind === 'full') {
          comes = false;
          await countWhateverTheLimit(store);
        }
        return outcome;
      },
    }));
    if (was) await core.report('door.disconnected', 'bob', 'c', await core.join('bob', 'c'));
    for (const clientId of ['a', 'b']) await core.join('alice', clientId);
    comes = true;
    expect(await core.connect('alice', 'c')).toMatchObject({ kind: 'admitted', reconnect: true });
    expect(await core.used('alice')).toBe(3);
  },
);

test('S3: a connection that a fault has left uncounted is let in again over the limit, and counted', async () => {
  const core = createCore(createMemoryClient(), 'table');
  await core.join('alice', 'c');
  const { deploymentId, username } = alices;
  const place = (await core.session('alice', 'c'))?.place;
  if (place === undefined) throw new Error('it has joined');
  await core.store.removePlace(deploymentId, username, place, true);
  for (const clientId of ['a', 'b']) await core.join('alice', clientId);
  expect(await core.connect('alice', 'c')).toMatchObject({ kind: 'admitted', reconnect: true });
  expect(await core.used('alice')).toBe(3);
});

test('S10: an attempt that another has met is not waited for; nor is its answer another one where that cannot be told', async () => {
  for (const isDown of [false, true]) {
    let meanwhile: (() => Promise<void>) | undefined;
    let mine: readonly AttemptId[] | undefined;
    const core = createCore(createMemoryClient(), 'table', (store) => ({
      ...store,
      async putOwner(...given) {
        const others = meanwhile;
        meanwhile = undefined;
        await others?.();
        return store.putOwner(...given);
      },
      async putSession(session, expected) {
        const isWithdrawal = mine !== undefined && session.username === 'alice' && isNoneInFlight(session);
        if (isDown && isWithdrawal) throw new StoreUnavailable(new Error('it is down'));
        return store.putSession(session, expected);
      },
    }));
    let met: AttemptId | undefined;
    meanwhile = async () => {
      const decision = await core.connect('alice', 'c');
      if (decision.kind === 'admitted') met = decision.attempt;
      // Who is let in while the database does not answer takes the client id without asking (S17).
      await countAdmitted(core.ports, {
        type: 'admitted',
        ...alices,
        username: 'bob' as Username,
        attempt: cryptoRandom.attemptId(),
        place: cryptoRandom.place(),
        at: core.now(),
        witness: 'door',
        expirySeconds: seconds(0),
      });
      mine = inFlight((await core.session('alice', 'c')) as Session).map(({ id }) => id);
      expect(mine).toHaveLength(1);
    };
    expect(await core.connect('alice', 'c')).toEqual({ kind: 'rejected', reason: 'client_id_held' });
    if (met === undefined) throw new Error('nobody has met it');
    mine = undefined;
    await core.report('door.connected', 'alice', 'c', met);
    await core.report('door.disconnected', 'alice', 'c', met);
    expect(await core.used('alice')).toBe(isDown ? 1 : 0);
  }
});

test.each(['counted', 'looked', 'done'] as const)(
  'I2: one place counts where a CONNECT chooses another in a wide username, after its outage’s message has %s',
  async (moment) => {
    const [sawWide, goesOn] = [createGate(), createGate()];
    let connecting: Promise<unknown> | undefined;
    let isIn = false;
    const message = {
      type: 'admitted' as const,
      ...alices,
      attempt: cryptoRandom.attemptId(),
      place: cryptoRandom.place(),
      at: ms(1_790_000_000_000),
      witness: 'door' as const,
      expirySeconds: seconds(0),
    };
    let isOver = false;
    const until = async (now: typeof moment): Promise<void> => {
      if (moment !== now || isOver) return;
      isOver = true;
      goesOn.open();
      await connecting;
    };
    const core = createCore(
      createMemoryClient(),
      'table',
      (store) => ({
        ...store,
        async addPlace(...given) {
          if (given[2] !== message.place) return store.addPlace(...given);
          const isMessage = given[5]?.forced === true;
          if (isMessage && connecting === undefined) {
            for (const clientId of ['a', 'b', 'd']) await core.join('alice', clientId);
            connecting = core.connect('alice', 'c');
            await sawWide.opened;
          }
          const outcome = await store.addPlace(...given);
          if (!isMessage && outcome.kind === 'wide') {
            sawWide.open();
            await goesOn.opened;
          }
          if (isMessage && outcome.kind === 'added' && !isIn) {
            isIn = true;
            await until('counted');
          }
          return outcome;
        },
        async readSession(names) {
          const seen = await store.readSession(names);
          if (isIn && names.clientId === 'c') await until('looked');
          return seen;
        },
      }),
      { layout: { wideAt: 3, lanes: 2, reserveMax: 8, near: 4, foldAt: 50, dropAt: 8 } },
    );
    core.max = 100;
    expect(await countAdmitted(core.ports, message)).toBe('done');
    await until('done');
    expect(await connecting).toMatchObject({ kind: 'admitted' });
    expect(await core.used('alice')).toBe(4);
    const now = await core.session('alice', 'c');
    expect(now !== undefined && (await core.store.holds(now))).toBe(true);
  },
);
