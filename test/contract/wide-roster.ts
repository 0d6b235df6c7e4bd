// What a SessionStore keeps of a username with many sessions: a wide roster counts as exactly as a narrow one.

import { beforeEach, describe, expect, test } from 'vitest';
import { type RosterLayout, usualLayout } from '../../shared/adapters/dynamodb/counter/lane-items.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { isFolded, isWide, laneOf } from '../../shared/domain/place.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, freeSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { AddOutcome } from '../../shared/ports/counter/counter.ts';
import type { Stored } from '../../shared/ports/presence/sessions.ts';

const start = ms(1_800_000_000_000);
const soon = ms(1_799_999_999_000);
const unlimited = Number.POSITIVE_INFINITY;
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
/** Small, so that a handful of sessions fills lanes, closes them and opens them again. */
const layout: RosterLayout = { wideAt: 3, lanes: 4, reserveMax: 8, near: 4, foldAt: 2, dropAt: 3 };
/** Each session is folded when it is confirmed, and its place leaves the lane at once. */
const foldsAll: RosterLayout = { ...layout, foldAt: 1, dropAt: 1 };

let nextDeployment = 0;

export function describeWideRoster(name: string, make: (layout: RosterLayout) => SessionStore): void {
  describe(`a wide roster on ${name}`, () => {
    let store: SessionStore;
    let deploymentId: DeploymentId;
    const alice = 'alice|with|bars ü' as Username;

    beforeEach(() => {
      store = make(layout);
      nextDeployment += 1;
      deploymentId = `w${process.pid}-${nextDeployment}` as DeploymentId;
    });

    const used = async (): Promise<number> => (await store.readRoster(deploymentId, alice)).used;
    /** Where a place came to lie that was told to be in another lane. */
    const moved = new Map<Place, Place>();
    /** As admission adds it: in another lane where the store says that there is room. */
    async function add(place: Place, max = unlimited): Promise<AddOutcome> {
      for (;;) {
        const now = moved.get(place) ?? place;
        const outcome = await store.addPlace(deploymentId, alice, now, max, start, { wakeBy: soon });
        if (outcome.kind !== 'wide' || outcome.lane === undefined) return outcome;
        const { roster, lane } = outcome;
        moved.set(place, store.placeFor(namesOf('moved'), cryptoRandom.place(), roster, max, lane));
      }
    }
    const remove = (place: Place) => store.removePlace(deploymentId, alice, moved.get(place) ?? place, false);
    const namesOf = (clientId: string) => ({ deploymentId, username: alice, clientId: clientId as ClientId });
    async function placeFor(clientId: string, max = unlimited): Promise<Place> {
      const roster = await store.readRoster(deploymentId, alice);
      return store.placeFor(namesOf(clientId), cryptoRandom.place(), roster, max);
    }
    async function widen(): Promise<Place[]> {
      const places = Array.from({ length: layout.wideAt }, () => cryptoRandom.place());
      for (const place of places) await add(place);
      return places;
    }
    const kinds = (outcomes: readonly AddOutcome[], kind: AddOutcome['kind']) =>
      outcomes.filter((one) => one.kind === kind).length;

    async function put(session: Session, expected?: Stored<Session>): Promise<Stored<Session>> {
      const done = await store.putSession(session, expected);
      if (done.kind !== 'done') throw new Error('somebody wrote first');
      return { value: done.value, revision: done.revision };
    }
    /** Admitted in this place, counted there or not. */
    function begin(clientId: string, place: Place): Promise<Stored<Session>> {
      const attempt = cryptoRandom.attemptId();
      const admission = { attempt, witness: 'door', at: start, expirySeconds: seconds(0) } as const;
      return put(startSession(namesOf(clientId), place, admission, policy, undefined, false));
    }
    const confirm = (begun: Stored<Session>): Promise<Stored<Session>> =>
      put(confirmSession(begun.value, { at: start, expirySeconds: seconds(0) }, policy), begun);
    /** In the lane of `like`. */
    async function join(clientId: string, like = clientId): Promise<Stored<Session>> {
      const begun = await begin(clientId, await placeFor(like));
      expect((await add(begun.value.place)).kind).toBe('added');
      return confirm(begun);
    }
    const end = (session: Stored<Session>) => store.putSession(freeSession(session.value), session);

    test('begins where there are so many sessions, and wakes at once', async () => {
      expect(isWide(await placeFor('a'))).toBe(false);
      await widen();
      expect(await store.readRoster(deploymentId, alice)).toMatchObject({ used: 3, wide: true, wakeAt: soon });
      expect(laneOf(await placeFor('a'))).toBeGreaterThan(0);
      // Near the limit, and no lane is open, the roster item itself counts.
      await store.gatherReserve(deploymentId, alice);
      const near = await placeFor('a', 6);
      expect([isWide(near), laneOf(near)]).toEqual([true, 0]);
    });

    test('takes a narrow place only by force: who chose it before chooses again', async () => {
      const place = await placeFor('a');
      await widen();
      expect((await add(place)).kind).toBe('wide');
      await store.gatherReserve(deploymentId, alice);
      expect((await add(place)).kind).toBe('wide');
      expect((await add(place, 3)).kind).toBe('full');
      expect(await store.addPlace(deploymentId, alice, place, unlimited, start, { forced: true })).toMatchObject({
        kind: 'added',
      });
      expect((await add(place)).kind).toBe('present');
      expect(await used()).toBe(4);
    });

    test('of a crowd that finds it narrow, so many are counted in one item and the others choose a lane', async () => {
      const places = Array.from({ length: 30 }, () => cryptoRandom.place());
      const outcomes = await Promise.all(places.map((place) => add(place)));
      expect([kinds(outcomes, 'added'), kinds(outcomes, 'wide')]).toEqual([layout.wideAt, 30 - layout.wideAt]);
      // Its lanes are open already, every one of them.
      expect(await store.readRoster(deploymentId, alice)).toMatchObject({ used: layout.wideAt, open: true });
      const { used: withReserves } = await store.peekRoster(deploymentId, alice);
      expect(withReserves).toBe(layout.wideAt + layout.lanes * layout.reserveMax);
    });

    test('the last places under a limit are found wherever they are, and none is left', async () => {
      await widen();
      const limit = 23;
      const places = await Promise.all(Array.from({ length: 20 }, (_, n) => placeFor(`device-${n}`, limit)));
      const outcomes = await Promise.all(places.map((place) => add(place, limit)));
      expect(kinds(outcomes, 'added')).toBe(20);
      expect(await used()).toBe(limit);
    });

    test('spreads client ids over its lanes, the same one always into the same', async () => {
      await widen();
      const places = await Promise.all(Array.from({ length: 40 }, (_, n) => placeFor(`device-${n}`)));
      expect(new Set(places.map(laneOf))).toEqual(new Set([1, 2, 3, 4]));
      expect(laneOf(await placeFor('device-7'))).toBe(laneOf(places[7] as Place));
    });

    test('takes exactly the limit of many that come at once', async () => {
      await widen();
      const places = await Promise.all(Array.from({ length: 60 }, (_, n) => placeFor(`device-${n}`)));
      const outcomes = await Promise.all(places.map((place) => add(place, 25)));
      expect([kinds(outcomes, 'added'), kinds(outcomes, 'full')]).toEqual([22, 38]);
      expect(await used()).toBe(25);
      // Also where what they add is told twice.
      const again = await Promise.all(places.map((place) => add(place, 25)));
      expect([kinds(again, 'present'), kinds(again, 'full')]).toEqual([22, 38]);
    });

    test('is exact while a limit is lowered: what was in reserve by the old one is counted by nobody', async () => {
      await widen();
      for (let n = 0; n < 12; n++) await add(await placeFor(`before-${n}`, 200), 200);
      const before = await used();
      const late = await Promise.all(Array.from({ length: 12 }, (_, n) => placeFor(`late-${n}`, 200)));
      const outcomes = await Promise.all(late.map((place) => add(place, before)));
      expect(kinds(outcomes, 'full')).toBe(12);
      expect(await used()).toBe(before);
      // Raised by a little, exactly so many more.
      const raised = await Promise.all(late.map((place) => add(place, before + 5)));
      expect([kinds(raised, 'added'), kinds(raised, 'full')]).toEqual([5, 7]);
      expect(await used()).toBe(before + 5);
    });

    test('is held against one limit, and tells whoever comes with another', async () => {
      await widen();
      await add(await placeFor('first', 30), 30);
      const before = await used();
      const tell = async (clientId: string, max: number, tellsDiffering = true) =>
        (
          await store.addPlace(deploymentId, alice, await placeFor(clientId, max), max, start, {
            wakeBy: soon,
            tellsDiffering,
          })
        ).kind;
      // Lower: what lanes have in reserve was given by more.
      expect(await tell('lower', 12)).toBe('differs');
      expect(await tell('none', 4)).toBe('differs');
      expect([await used(), (await store.readRoster(deploymentId, alice)).open]).toEqual([before, true]);
      expect(await tell('same', 30)).toBe('added');
      // Whoever says that its own is right has the roster held against that from now on, full or not.
      expect(await tell('lower', before, false)).toBe('full');
      expect(await tell('same', 30)).toBe('differs');
      expect(await tell('lower', before)).toBe('full');
      expect(await tell('same', 30, false)).toBe('added');
      expect(await tell('lower', before)).toBe('differs');
      expect(await tell('unlimited', unlimited)).toBe('differs');
      expect(await tell('unlimited', unlimited, false)).toBe('added');
      expect(await used()).toBe(before + 3);
    });

    test('over its limit nobody is let in, wherever places become free, until there is room', async () => {
      const narrow = await widen();
      const places = await Promise.all(Array.from({ length: 12 }, (_, n) => placeFor(`device-${n}`)));
      for (const place of places) await add(place);
      const limit = 10;
      const newcomers = await Promise.all(Array.from({ length: 8 }, (_, n) => placeFor(`new-${n}`)));
      // 15 are there. The sixth that leaves makes room for one.
      for (const [n, place] of [...places.slice(0, 5), ...narrow].entries()) {
        const outcomes = await Promise.all(newcomers.map((one) => add(one, limit)));
        expect(kinds(outcomes, 'added'), `${n} have left`).toBe(n < 6 ? 0 : 1);
        expect(await remove(place)).toBe('removed');
      }
      const last = await Promise.all(newcomers.map((one) => add(one, limit)));
      expect(kinds(last, 'added')).toBe(1);
      expect(await used()).toBe(limit);
    });

    test('a place that becomes free in one lane is there for another', async () => {
      await widen();
      const places = await Promise.all(Array.from({ length: 30 }, (_, n) => placeFor(`device-${n}`)));
      for (const place of places) await add(place, 20);
      const [one] = places;
      const other = places.find(
        (place) => laneOf(place) !== laneOf(one as Place) && !places.slice(0, 17).includes(place),
      );
      if (one === undefined || other === undefined) throw new Error('thirty fill more than one lane');
      expect((await add(other, 20)).kind).toBe('full');
      expect(await remove(one)).toBe('removed');
      expect(await remove(one)).toBe('absent');
      expect((await add(other, 20)).kind).toBe('added');
      expect(await used()).toBe(20);
    });

    test('whoever is counted over the limit takes back what lanes have in reserve', async () => {
      await widen();
      await add(await placeFor('first', 30), 30);
      const before = await used();
      // Unlimited, as a session that turns out to live is counted, and beyond the limit that the reserve was given by.
      for (let n = 0; n < 40; n++) await add(await placeFor(`forced-${n}`, 5));
      expect(await used()).toBe(before + 40);
      expect((await add(await placeFor('late', 30), 30)).kind).toBe('full');
    });

    test('a folded session counts by a number, and its end uncounts it once, whoever ends it', async () => {
      store = make(foldsAll);
      await widen();
      const sessions = [await join('a'), await join('b'), await join('c')];
      expect(await used()).toBe(6);
      const [first] = sessions;
      if (first === undefined) throw new Error('it was put');
      expect(await store.readSession(first.value)).toEqual(first);
      const tally = await store.readTally(deploymentId, alice);
      expect([isFolded(first.value.place), tally.used, tally.unclaimed().length]).toEqual([true, 6, 3]);
      expect([tally.claim(first.value.place), await store.holds(first.value)]).toEqual([true, true]);
      const ends = await Promise.all(Array.from({ length: 8 }, () => end(first)));
      expect(ends.filter(({ kind }) => kind === 'done')).toEqual([expect.objectContaining({ uncounted: true })]);
      expect(await used()).toBe(5);
      expect(await store.holds(freeSession(first.value))).toBe(false);
    });

    test('a folded session is counted once, whoever adds or removes its place', async () => {
      store = make(foldsAll);
      await widen();
      const { value } = await join('a');
      expect((await add(value.place)).kind).toBe('present');
      const forced = { forced: true } as const;
      expect((await store.addPlace(deploymentId, alice, value.place, unlimited, start, forced)).kind).toBe('present');
      expect(await remove(value.place)).toBe('absent');
      expect(await store.removePlaces(deploymentId, alice, [value.place], false)).toEqual({ removed: 0, gone: false });
      expect(await used()).toBe(4);
    });

    test('a session is folded where its lane holds many others, and only if it is confirmed and counted there', async () => {
      await widen();
      const [one, two] = [await placeFor('a'), await placeFor('a')];
      const first = await begin('one', one);
      await add(one);
      const alone = await confirm(first);
      expect(isFolded(alone.value.place)).toBe(false);
      await add(two);
      const second = await begin('two', two);
      const pending = await put({ ...second.value, dueAt: start }, second);
      expect(isFolded(pending.value.place)).toBe(false);
      expect(isFolded((await confirm(pending)).value.place)).toBe(true);
      // The next write of one that is confirmed already folds it as well.
      expect(isFolded((await put({ ...alone.value, dueAt: start }, alone)).value.place)).toBe(true);
      for (const uncounted of [await placeFor('a'), cryptoRandom.place()])
        expect(isFolded((await confirm(await begin(`at ${uncounted}`, uncounted))).value.place)).toBe(false);
      expect(await used()).toBe(5);
    });

    test('however many sessions are confirmed, their places do not stay in the lanes', async () => {
      store = make(foldsAll);
      await widen();
      for (let n = 0; n < 12; n++) await join(`device-${n}`);
      expect(await used()).toBe(15);
      // Those of the roster item, from before it was wide.
      expect((await store.readTally(deploymentId, alice)).unclaimed()).toHaveLength(3);
    });

    test('a lane of the usual layout stays below a write unit, however many sessions it counts', async () => {
      store = make(usualLayout);
      for (let n = 0; n < usualLayout.wideAt; n++) await add(cryptoRandom.place());
      const sessions = 90;
      for (let n = 0; n < sessions; n++) await join(`device-${n}`, 'a');
      const tally = await store.readTally(deploymentId, alice);
      expect(tally.used).toBe(usualLayout.wideAt + sessions);
      // Those that were there before it was worth it, and those that wait to leave together.
      const places = tally.unclaimed().length - usualLayout.wideAt;
      expect(places).toBeLessThan(usualLayout.foldAt + usualLayout.dropAt);
      expect(places * 9).toBeLessThan(1_024 / 2);
    });

    test('places of folded sessions leave their lane some at a time, or with the end of one of them', async () => {
      store = make({ ...layout, foldAt: 1 });
      await widen();
      const placesThere = async () => (await store.readTally(deploymentId, alice)).unclaimed().length - layout.wideAt;
      const [first] = [await join('a'), await join('b', 'a')];
      expect(await placesThere()).toBe(2);
      await join('c', 'a');
      expect(await placesThere()).toBe(0);
      await join('d', 'a');
      expect(await placesThere()).toBe(1);
      await end(first);
      expect([await placesThere(), await used()]).toEqual([0, 6]);
    });

    test('a place that a process left behind goes with a recount, and the number stays right', async () => {
      store = make({ ...layout, foldAt: 1 });
      await widen();
      const sessions = [await join('a'), await join('b')];
      const tally = await store.readTally(deploymentId, alice);
      expect(sessions.map(({ value }) => tally.claim(value.place))).toEqual([true, true]);
      expect(await tally.correct()).toBe(0);
      const after = await store.readTally(deploymentId, alice);
      expect([after.used, after.unclaimed().length]).toEqual([5, 3]);
    });

    test('a folded session is uncounted in a lane that has been closed', async () => {
      store = make(foldsAll);
      await widen();
      const session = await join('a');
      await store.gatherReserve(deploymentId, alice);
      expect(await store.readRoster(deploymentId, alice)).not.toHaveProperty('open');
      expect((await end(session)).kind).toBe('done');
      expect(await used()).toBe(3);
    });

    test('gathering what is in reserve changes nothing that is counted', async () => {
      await widen();
      for (let n = 0; n < 10; n++) await add(await placeFor(`device-${n}`, 100), 100);
      expect(await store.readRoster(deploymentId, alice)).toMatchObject({ used: 13, open: true });
      await store.gatherReserve(deploymentId, alice);
      await store.gatherReserve(deploymentId, alice);
      const roster = await store.readRoster(deploymentId, alice);
      expect(roster.used).toBe(13);
      expect(roster.open).toBeUndefined();
    });

    test('a number that is wrong is corrected, unless it has moved since it was read', async () => {
      store = make(foldsAll);
      await widen();
      const sessions = [await join('a'), await join('b', 'a')];
      const [one] = sessions;
      if (one === undefined) throw new Error('it was put');
      // Somebody does not see the second of them, and a third comes meanwhile.
      const tally = await store.readTally(deploymentId, alice);
      tally.claim(one.value.place);
      sessions.push(await join('c', 'a'));
      await tally.correct();
      expect(await used()).toBe(6);
      // One of them has gone without a trace.
      await store.removeSession(one.value, one);
      const now = await store.readTally(deploymentId, alice);
      for (const { value } of sessions.slice(1)) now.claim(value.place);
      expect(await now.correct()).toBe(1);
      expect(await used()).toBe(5);
      for (const session of sessions.slice(1)) await end(session);
      expect(await used()).toBe(3);
    });

    test('goes with the last of its sessions, and leaves nothing', async () => {
      store = make(foldsAll);
      const narrow = await widen();
      const session = await join('a');
      const place = await placeFor('b');
      await add(place);
      expect(await store.removePlaces(deploymentId, alice, [...narrow, place], false)).toEqual({
        removed: 4,
        gone: false,
      });
      expect((await end(session)).kind).toBe('done');
      await store.gatherReserve(deploymentId, alice);
      expect(await store.readRoster(deploymentId, alice)).toEqual({ used: 0, places: new Set() });
      // The next one begins narrow again.
      expect(isWide(await placeFor('a'))).toBe(false);
    });
  });
}
