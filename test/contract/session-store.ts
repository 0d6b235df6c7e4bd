// What every SessionStore keeps, whatever it stands on: the promises of shared/ports/common/session-store.ts, one by one.

import { beforeEach, describe, expect, test } from 'vitest';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { wakePartitions } from '../../shared/config/constants.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, endSession, freeSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { Names, Stored } from '../../shared/ports/presence/sessions.ts';
import type { Wake } from '../../shared/ports/repair/due.ts';

const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
const start = ms(1_800_000_000_000);
const farAway = ms(9_000_000_000_000);
const unlimited = Number.POSITIVE_INFINITY;
const newPlace = (): Place => cryptoRandom.place();

let nextDeployment = 0;

export function describeSessionStore(name: string, make: () => SessionStore): void {
  describe(`SessionStore on ${name}`, () => {
    let store: SessionStore;
    let deploymentId: DeploymentId;
    const alice = 'alice|with|bars ü' as Username;
    const bob = 'bob' as Username;

    beforeEach(() => {
      store = make();
      nextDeployment += 1;
      deploymentId = `d${process.pid}-${nextDeployment}` as DeploymentId;
    });

    const namesOf = (clientId: string, username = alice): Names => ({
      deploymentId,
      username,
      clientId: clientId as ClientId,
    });
    function pending(clientId: string, at: Ms = start, username = alice): Session {
      const admission = { attempt: cryptoRandom.attemptId(), witness: 'door', at, expirySeconds: seconds(60) } as const;
      return startSession(namesOf(clientId, username), newPlace(), admission, policy, undefined, false);
    }
    const connected = (clientId: string, at: Ms = start): Session =>
      confirmSession(pending(clientId, at), { at, expirySeconds: seconds(60) }, policy);
    const retained = (clientId: string, endedAt: Ms, username = alice): Session =>
      endSession({ ...connected(clientId), username }, { at: endedAt, expirySeconds: seconds(60) }, endedAt);

    async function put(session: Session, expected?: Stored<Session>): Promise<Stored<Session>> {
      const outcome = await store.putSession(session, expected);
      if (outcome.kind !== 'done') throw new Error('somebody wrote first');
      return { value: session, revision: outcome.revision };
    }
    const used = async (username = alice): Promise<number> => (await store.readRoster(deploymentId, username)).used;
    const add = (place: Place, max = unlimited, dueAt: Ms = start) =>
      store.addPlace(deploymentId, alice, place, max, dueAt);
    async function wakes(until: Ms): Promise<readonly Wake[]> {
      const all = await Promise.all(
        Array.from({ length: wakePartitions }, (_, partition) => store.listWakes(partition, until, 1_000)),
      );
      return all
        .flat()
        .filter((wake) => (wake.kind === 'lease' ? wake.names.deploymentId : wake.deploymentId) === deploymentId);
    }

    describe('a session', () => {
      test('is read back as it was put, with everything that can be known of it', async () => {
        const [latest] = pending('full').attempts;
        const full: Session = {
          ...pending('full'),
          phase: {
            kind: 'connected',
            pending: { until: start, fallbackUntil: start, expirySeconds: seconds(9), endHeard: true },
            made: { at: start, unsure: true },
            pair: { sessionIdentifier: 'one', versionNumber: 0 },
            ending: { at: start, expirySeconds: seconds(7), unproven: true },
          },
          attempts: [
            { ...latest, state: 'open', uncounted: true, protocolVersion: 5, ipAddress: '2001:db8::1' },
            { id: cryptoRandom.attemptId(), state: 'open' },
            { id: cryptoRandom.attemptId(), state: 'connected' },
            { id: cryptoRandom.attemptId(), state: 'over' },
            { id: cryptoRandom.attemptId(), state: 'forgotten', uncounted: true },
          ],
          ambiguity: 'inFlightKnown',
          closedPairs: [
            { sessionIdentifier: 'one', versionNumber: 1 },
            { sessionIdentifier: 'two', versionNumber: 0 },
          ],
          expiryTold: true,
          recounted: true,
          signedBy: ['password'],
        };
        for (const session of [full, pending('new'), connected('connected'), retained('retained', start)]) {
          const stored = await put(session);
          expect(await store.readSession(session)).toEqual(stored);
        }
      });

      test('that nobody has put is not there', async () => {
        expect(await store.readSession(namesOf('nobody'))).toBeUndefined();
      });

      test('is written only over what was expected; whoever is refused is told what stands there', async () => {
        const first = await put(pending('c'));
        expect(await store.putSession(pending('c'), undefined)).toEqual({ kind: 'changed', current: first });
        const second = await put(connected('c'), first);
        expect(second.revision).not.toBe(first.revision);
        expect(await store.putSession(pending('c'), first)).toEqual({ kind: 'changed', current: second });
        expect(await store.putSession(pending('none'), first)).toEqual({ kind: 'changed', current: undefined });
        expect(await store.readSession(namesOf('c'))).toEqual(second);
      });

      test('has one winner of many that write at once', async () => {
        const first = await put(pending('c'));
        const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.putSession(connected('c'), first)));
        expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
        const fresh = await Promise.all(Array.from({ length: 20 }, () => store.putSession(pending('d'), undefined)));
        expect(fresh.filter(({ kind }) => kind === 'done')).toHaveLength(1);
      });

      test('has another revision with every write, also of the same', async () => {
        const session = connected('c');
        let stored = await put(session);
        const revisions = new Set([stored.revision]);
        for (let n = 0; n < 5; n++) {
          stored = await put(session, stored);
          revisions.add(stored.revision);
        }
        expect(revisions.size).toBe(6);
      });

      test('that was never counted is removed only as it was expected', async () => {
        const first = await put(pending('c'));
        const second = await put(pending('c'), first);
        expect(await store.removeSession(namesOf('c'), first)).toBe('changed');
        expect(await store.readSession(namesOf('c'))).toEqual(second);
        expect(await store.removeSession(namesOf('c'), second)).toBe('done');
        expect(await store.removeSession(namesOf('c'), second)).toBe('changed');
        expect(await store.readSession(namesOf('c'))).toBeUndefined();
      });

      test('that is freed stays as a tombstone, with its username and what was known of it', async () => {
        const freed = freeSession(retained('c', start));
        const stored = await put(freed, await put(retained('c', start)));
        expect(await store.readSession(namesOf('c'))).toEqual(stored);
        expect(stored.value).toMatchObject({ phase: { kind: 'ended' }, username: alice });
      });

      test('is nothing to another username, another deployment, or another client id', async () => {
        await put(pending('c'));
        expect(await store.readSession(namesOf('c', bob))).toBeUndefined();
        expect(await store.readSession(namesOf('C'))).toBeUndefined();
        expect(
          await store.readSession({ ...namesOf('c'), deploymentId: `${deploymentId}0` as DeploymentId }),
        ).toBeUndefined();
      });
    });

    describe('the owner of a client id', () => {
      const owner = (username: Username, keptUntil = addSeconds(start, seconds(100))) => ({ username, keptUntil });
      const clientId = 'c' as ClientId;

      test('is written only over what was expected', async () => {
        expect(await store.readOwner(deploymentId, clientId)).toBeUndefined();
        const first = await store.putOwner(deploymentId, clientId, owner(alice), undefined);
        if (first.kind !== 'done') throw new Error('refused');
        const stands = { value: owner(alice), revision: first.revision };
        expect(await store.readOwner(deploymentId, clientId)).toEqual(stands);
        expect(await store.putOwner(deploymentId, clientId, owner(bob), undefined)).toEqual({
          kind: 'changed',
          current: stands,
        });
        expect((await store.putOwner(deploymentId, clientId, owner(bob), stands)).kind).toBe('done');
        expect((await store.putOwner(deploymentId, clientId, owner(alice), stands)).kind).toBe('changed');
        expect((await store.readOwner(deploymentId, clientId))?.value).toEqual(owner(bob));
      });

      test('has one winner of many that claim it at once', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            store.putOwner(deploymentId, clientId, owner(n % 2 === 0 ? alice : bob), undefined),
          ),
        );
        expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
      });
    });

    describe('a roster', () => {
      test('counts a place once, however often it is added', async () => {
        const place = newPlace();
        expect(await add(place)).toEqual({ kind: 'added', used: 1 });
        expect(await add(place)).toEqual({ kind: 'present' });
        // Also where the limit is reached by it, or has been lowered below it.
        expect(await add(place, 1)).toEqual({ kind: 'present' });
        expect(await add(place, 0)).toEqual({ kind: 'present' });
        const roster = await store.readRoster(deploymentId, alice);
        expect([roster.used, [...roster.places], roster.wakeAt]).toEqual([1, [place], start]);
      });

      test('takes none above the limit, and says what it holds', async () => {
        const places = [newPlace(), newPlace()];
        for (const place of places) await add(place, 2);
        const full = await add(newPlace(), 2);
        expect(full).toMatchObject({ kind: 'full', roster: { used: 2 } });
        if (full.kind === 'full') expect(new Set(full.roster.places)).toEqual(new Set(places));
        expect(await add(newPlace(), 1)).toMatchObject({ kind: 'full' });
        expect(await used()).toBe(2);
        expect(await add(newPlace(), 3)).toEqual({ kind: 'added', used: 3 });
        expect(await add(newPlace())).toEqual({ kind: 'added', used: 4 });
      });

      test('takes exactly the limit of many that come at once', async () => {
        const outcomes = await Promise.all(Array.from({ length: 60 }, () => add(newPlace(), 25)));
        expect(outcomes.filter(({ kind }) => kind === 'added')).toHaveLength(25);
        expect(outcomes.filter(({ kind }) => kind === 'full')).toHaveLength(35);
        const roster = await store.readRoster(deploymentId, alice);
        expect([roster.used, roster.places.size]).toEqual([25, 25]);
      });

      test('loses exactly the place that is taken out, and only once, whatever the guess', async () => {
        const [a, b] = [newPlace(), newPlace()];
        await add(a);
        await add(b);
        expect(await store.removePlace(deploymentId, alice, a, true)).toBe('removed');
        expect(await store.removePlace(deploymentId, alice, a, true)).toBe('absent');
        expect(await store.removePlace(deploymentId, alice, a, false)).toBe('absent');
        expect([...(await store.readRoster(deploymentId, alice)).places]).toEqual([b]);
        expect(await store.removePlace(deploymentId, alice, b, false)).toBe('removed');
        expect(await store.removePlace(deploymentId, alice, b, true)).toBe('absent');
        expect(await store.readRoster(deploymentId, alice)).toEqual({ used: 0, places: new Set() });
      });

      test('is uncounted once by many that take the same place out at once', async () => {
        const place = newPlace();
        await add(place);
        await add(newPlace());
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, n) => store.removePlace(deploymentId, alice, place, n % 2 === 0)),
        );
        expect(outcomes.filter((one) => one === 'removed')).toHaveLength(1);
        expect(await used()).toBe(1);
      });

      test('loses many places at once, and says how many of them it had', async () => {
        const places = Array.from({ length: 120 }, newPlace);
        for (const place of places) await add(place);
        const strangers = [newPlace(), newPlace()];
        const out = [...places.slice(0, 110), ...strangers];
        expect(await store.removePlaces(deploymentId, alice, out, false)).toEqual({ removed: 110, gone: false });
        expect(await store.removePlaces(deploymentId, alice, out, false)).toEqual({ removed: 0, gone: false });
        const roster = await store.readRoster(deploymentId, alice);
        expect([roster.used, roster.places]).toEqual([10, new Set(places.slice(110))]);
        expect(await store.removePlaces(deploymentId, alice, [], false)).toEqual({ removed: 0, gone: false });
      });

      test('takes a place out once that is given twice', async () => {
        const places = [newPlace(), newPlace(), newPlace()] as const;
        for (const place of places) await add(place);
        const [first, second, third] = places;
        const twice = [first, second, first];
        expect(await store.removePlaces(deploymentId, alice, twice, false)).toEqual({ removed: 2, gone: false });
        const roster = await store.readRoster(deploymentId, alice);
        expect([roster.used, roster.places]).toEqual([1, new Set([third])]);
      });

      test('goes with the last of its places, and says so, whatever was guessed', async () => {
        for (const count of [1, 3])
          for (const last of [true, false]) {
            const places = Array.from({ length: count }, newPlace);
            for (const place of places) await add(place);
            expect(await store.removePlaces(deploymentId, alice, places, last)).toEqual({ removed: count, gone: true });
            expect(await store.readRoster(deploymentId, alice)).not.toHaveProperty('wakeAt');
          }
      });

      test('of another username or deployment is another', async () => {
        await add(newPlace());
        expect(await used(bob)).toBe(0);
        expect((await store.readRoster(`${deploymentId}0` as DeploymentId, alice)).used).toBe(0);
      });

      test('that counts somebody is not removed as empty', async () => {
        await add(newPlace());
        await store.removeEmptyRoster(deploymentId, alice);
        expect(await used()).toBe(1);
        await store.removeEmptyRoster(deploymentId, bob);
        expect(await used(bob)).toBe(0);
      });

      test('wakes no later than the first of its sessions may expire', async () => {
        const at = (offset: number) => addSeconds(start, seconds(offset));
        const wakeAt = async () => (await store.readRoster(deploymentId, alice)).wakeAt;
        await store.lowerWake(deploymentId, alice, at(1));
        expect(await wakeAt()).toBeUndefined();
        await add(newPlace(), unlimited, at(50));
        expect(await wakeAt()).toBe(at(50));
        await add(newPlace(), unlimited, at(90));
        expect(await wakeAt()).toBe(at(50));
        await add(newPlace(), 3, at(20));
        expect(await wakeAt()).toBe(at(20));
        await store.lowerWake(deploymentId, alice, at(30));
        expect(await wakeAt()).toBe(at(20));
        await store.lowerWake(deploymentId, alice, at(10));
        expect(await wakeAt()).toBe(at(10));
        // Raised only from the value that was looked at: one lowered meanwhile is not lost.
        await store.moveWake(deploymentId, alice, at(20), at(80));
        expect(await wakeAt()).toBe(at(10));
        await store.moveWake(deploymentId, alice, at(10), at(80));
        expect(await wakeAt()).toBe(at(80));
      });
    });

    describe('what is read for a CONNECT', () => {
      test('is the session, the owner and the roster as they stand, and nothing where nothing is', async () => {
        const none = { whitelistId: undefined, overridesOf: undefined, limit: unlimited };
        expect(await store.readForConnect(namesOf('c'), none)).toEqual({
          session: undefined,
          owner: undefined,
          roster: { used: 0, places: new Set() },
          rosterIsExact: false,
          whitelisted: false,
          override: undefined,
        });
        const stored = await put(connected('c'));
        await add(stored.value.place);
        await store.putOwner(deploymentId, namesOf('c').clientId, { username: alice, keptUntil: start }, undefined);
        const lists = [
          { whitelistId: undefined, overridesOf: undefined },
          { whitelistId: 'w1', overridesOf: undefined },
          { whitelistId: undefined, overridesOf: 3 },
          { whitelistId: 'w1', overridesOf: 3 },
        ];
        for (const lookFor of lists) {
          const view = await store.readForConnect(namesOf('c'), { ...lookFor, limit: unlimited });
          expect(view.session).toEqual(stored);
          expect(view.owner?.value).toEqual({ username: alice, keptUntil: start });
          expect([view.roster.used, [...view.roster.places]]).toEqual([1, [stored.value.place]]);
          expect([view.whitelisted, view.override]).toEqual([false, undefined]);
        }
      });

      test('is exact at once where the username was full for a newcomer a moment ago', async () => {
        const lookFor = { whitelistId: undefined, overridesOf: undefined, limit: 1 };
        const isExact = async (clientId: string, limit = 1) =>
          (await store.readForConnect(namesOf(clientId), { ...lookFor, limit })).rosterIsExact;
        const stored = await put(connected('c'));
        await add(stored.value.place);
        expect([await isExact('new'), await isExact('new'), await isExact('other')]).toEqual([false, true, true]);
        // Whoever has a session comes back, as others of it may: that is no reason to read more.
        expect([await isExact('c'), await isExact('c'), await isExact('new')]).toEqual([true, false, false]);
        expect([await isExact('new', 2), await isExact('new', 2)]).toEqual([true, false]);
      });
    });

    describe('what is due', () => {
      test('comes earliest first, up to the time asked, no more than asked, and of that username only', async () => {
        const at = (offset: number) => addSeconds(start, seconds(offset));
        expect(await store.nextDue(deploymentId, alice)).toBeUndefined();
        for (const [clientId, endedAt] of [
          ['third', at(30)],
          ['first', at(10)],
          ['second', at(20)],
        ] as const)
          await put(retained(clientId, endedAt));
        await put(retained('other', at(5), bob));
        const due = (until: Ms, limit = 100) => store.listDue(deploymentId, alice, until, limit);
        expect(await due(farAway)).toEqual(['first', 'second', 'third']);
        expect(await due(farAway, 2)).toEqual(['first', 'second']);
        // Its session keeps for 60 s.
        expect(await due(at(80))).toEqual(['first', 'second']);
        expect(await due(ms(at(70) - 1))).toEqual([]);
        expect(await store.nextDue(deploymentId, alice)).toBe(at(70));
      });

      test('is no tombstone, unless its place may still be counted', async () => {
        await put(freeSession(retained('settled', start)));
        expect(await store.nextDue(deploymentId, alice)).toBeUndefined();
        await put(freeSession(retained('owing', start), { owes: true }));
        expect(await store.listDue(deploymentId, alice, farAway, 10)).toEqual(['owing']);
      });
    });

    describe("a username's sessions", () => {
      test('are all of them, tombstones too, in pages that skip and repeat none', async () => {
        const ids = Array.from({ length: 23 }, (_, n) => `c${n}`);
        for (const [n, clientId] of ids.entries())
          await put(n % 3 === 0 ? freeSession(retained(clientId, start)) : connected(clientId));
        await put(pending('of bob', start, bob));
        const seen: string[] = [];
        let pages = 0;
        for (let after: ClientId | undefined; ; pages++) {
          const page = await store.listSessions(deploymentId, alice, {
            limit: 5,
            ...(after === undefined ? {} : { after }),
          });
          seen.push(...page.items.map(({ value }) => value.clientId));
          after = page.items.at(-1)?.value.clientId;
          if (!page.more) break;
        }
        expect([...seen].sort()).toEqual([...ids].sort());
        expect(pages).toBeGreaterThanOrEqual(4);
        expect(await store.listSessions(deploymentId, bob, { limit: 5 })).toMatchObject({ more: false });
      });

      test('are read as the last write left them', async () => {
        let stored = await put(pending('c'));
        for (let n = 0; n < 5; n++) {
          stored = await put({ ...stored.value, recounted: n % 2 === 0 }, stored);
          expect((await store.listSessions(deploymentId, alice, { limit: 5 })).items).toEqual([stored]);
        }
      });
    });

    describe('what the sweeper has to look at', () => {
      test('are pending attempts when their lease is over, and rosters when they wake', async () => {
        const session = pending('c');
        const lease = addSeconds(start, seconds(30));
        await put(session);
        await add(session.place, unlimited, addSeconds(start, seconds(40)));
        expect(await wakes(ms(lease - 1))).toEqual([]);
        expect(await wakes(lease)).toEqual([{ kind: 'lease', names: namesOf('c'), at: lease }]);
        expect(await wakes(farAway)).toEqual(
          expect.arrayContaining([
            { kind: 'lease', names: namesOf('c'), at: lease },
            { kind: 'roster', deploymentId, username: alice, at: addSeconds(start, seconds(40)) },
          ]),
        );
      });

      test('are no confirmed sessions, no settled tombstones, and no rosters that are gone', async () => {
        const session = pending('c');
        const first = await put(session);
        await add(session.place);
        await put(confirmSession(session, { at: start, expirySeconds: seconds(0) }, policy), first);
        expect((await wakes(farAway)).map(({ kind }) => kind)).toEqual(['roster']);
        await store.removePlace(deploymentId, alice, session.place, true);
        expect(await wakes(farAway)).toEqual([]);
        const owing = freeSession(pending('owing'), { owes: true });
        await put(owing);
        expect((await wakes(farAway)).map(({ kind }) => kind)).toEqual(['lease']);
      });

      test('come earliest first, in pages that go on behind one that is gone', async () => {
        const sessions = await Promise.all(
          Array.from({ length: 40 }, (_, n) => put(pending(`c${n}`, addSeconds(start, seconds(n))))),
        );
        for (let partition = 0; partition < wakePartitions; partition++) {
          const whole = await store.listWakes(partition, farAway, 1_000);
          expect(whole.map(({ at }) => at)).toEqual(whole.map(({ at }) => at).sort((a, b) => a - b));
          const [first, second] = await store.listWakes(partition, farAway, 2);
          if (first === undefined || second === undefined) continue;
          expect([first, second]).toEqual(whole.slice(0, 2));
          const gone = sessions.find(
            ({ value }) => second.kind === 'lease' && value.clientId === second.names.clientId,
          );
          if (gone !== undefined) await store.removeSession(gone.value, gone);
          expect(await store.listWakes(partition, farAway, 1_000, second)).toEqual(whole.slice(2));
        }
      });
    });
  });
}
