// What a SessionStore keeps of a username with many sessions: a wide roster counts as exactly as a narrow one.

import { beforeEach, describe, expect, test } from 'vitest';
import type { RosterLayout } from '../../shared/adapters/dynamodb/counter/lanes.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { isWide, laneOf } from '../../shared/domain/place.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, freeSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { AddOutcome, SessionStore, Stored } from '../../shared/ports/counter/sessions.ts';

const start = ms(1_800_000_000_000);
const soon = ms(1_799_999_999_000);
const unlimited = Number.POSITIVE_INFINITY;
const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
/** Small, so that a handful of sessions fills lanes, closes them and opens them again. */
const layout: RosterLayout = { wideAt: 3, lanes: 4, reserveMax: 8, near: 4, foldAt: 2, dropAt: 3 };

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

    async function putFolded(clientId: string, how = { atOnce: true }): Promise<Stored<Session>> {
      const place = await placeFor(clientId);
      const admission = {
        attempt: cryptoRandom.attemptId(),
        witness: 'door',
        at: start,
        expirySeconds: seconds(0),
      } as const;
      const hands = false;
      const begun = startSession(namesOf(clientId), place, admission, policy, undefined, hands);
      expect((await add(place)).kind).toBe('added');
      const confirmed = confirmSession(begun, { at: start, expirySeconds: seconds(0) }, policy);
      const session: Session = { ...confirmed, folded: true };
      const put = await store.putSession(session, undefined);
      if (put.kind !== 'done') throw new Error('somebody wrote first');
      await store.dropPlace(deploymentId, alice, place, how);
      return { value: session, revision: put.revision };
    }

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
      expect(await store.readParts(deploymentId, alice)).toHaveLength(1 + layout.lanes);
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
      await widen();
      const sessions = [await putFolded('a'), await putFolded('b'), await putFolded('c')];
      expect(await used()).toBe(6);
      const [first] = sessions;
      if (first === undefined) throw new Error('it was put');
      expect(await store.holds(first.value)).toBe(true);
      const parts = await store.readParts(deploymentId, alice);
      expect(parts?.reduce((sum, part) => sum + part.folded, 0)).toBe(3);
      expect(parts?.flatMap((part) => [...part.places])).toHaveLength(3);
      const ends = await Promise.all(
        Array.from({ length: 8 }, () => store.putSession(freeSession(first.value), first)),
      );
      expect(ends.filter(({ kind }) => kind === 'done')).toHaveLength(1);
      expect(await used()).toBe(5);
      expect(await store.holds(freeSession(first.value))).toBe(false);
    });

    test('a session is folded where its lane holds many others, and only if it is confirmed and counted there', async () => {
      await widen();
      let device = 0;
      const isFolded = async (place: Place, isConfirmed = true): Promise<boolean | undefined> => {
        const clientId = `device-${device++}`;
        const at = {
          attempt: cryptoRandom.attemptId(),
          witness: 'door',
          at: start,
          expirySeconds: seconds(0),
        } as const;
        const begun = startSession(namesOf(clientId), place, at, policy, undefined, false);
        const put = await store.putSession(begun, undefined);
        if (put.kind !== 'done') throw new Error('somebody wrote first');
        const told = { at: start, expirySeconds: seconds(0) };
        const next = isConfirmed ? confirmSession(begun, told, policy) : { ...begun, dueAt: start };
        const confirmed = await store.putSession(next, put);
        if (confirmed.kind !== 'done') throw new Error('somebody wrote first');
        expect((await store.readSession(confirmed.value))?.value.folded).toBe(confirmed.value.folded);
        return confirmed.value.folded;
      };
      const [one, two] = [await placeFor('a'), await placeFor('a')];
      await add(one);
      expect(await isFolded(one)).toBeUndefined();
      await add(two);
      expect(await isFolded(one, false)).toBeUndefined();
      expect(await isFolded(one)).toBe(true);
      expect(await isFolded(await placeFor('a'))).toBeUndefined();
      expect(await isFolded(cryptoRandom.place())).toBeUndefined();
    });

    test('places of folded sessions leave their lane some at a time, or with the end of one of them', async () => {
      await widen();
      const placesThere = async () =>
        (await store.readParts(deploymentId, alice))?.flatMap((part) => (part.lane === 0 ? [] : [...part.places])) ??
        [];
      const later = { atOnce: false };
      const places = await Promise.all(Array.from({ length: 4 }, () => placeFor('a')));
      for (const place of places) await add(place);
      const [first, second, third, fourth] = places as [Place, Place, Place, Place];
      await store.dropPlace(deploymentId, alice, first, later);
      await store.dropPlace(deploymentId, alice, second, later);
      expect(await placesThere()).toHaveLength(4);
      await store.dropPlace(deploymentId, alice, third, later);
      expect(await placesThere()).toEqual([fourth]);
      // Of the same lane, another one.
      const folded = await putFolded('a', later);
      await store.dropPlace(deploymentId, alice, fourth, later);
      expect(await placesThere()).toHaveLength(2);
      await store.putSession(freeSession(folded.value), folded);
      expect(await placesThere()).toEqual([]);
      expect(await used()).toBe(7);
    });

    test('a folded session is uncounted in a lane that has been closed', async () => {
      await widen();
      const session = await putFolded('a');
      await store.gatherReserve(deploymentId, alice);
      expect(await store.readRoster(deploymentId, alice)).not.toHaveProperty('open');
      expect((await store.putSession(freeSession(session.value), session)).kind).toBe('done');
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
      await widen();
      const [one, two] = [await putFolded('a'), await putFolded('b')];
      const lane = laneOf(one.value.place);
      const part = (await store.readParts(deploymentId, alice))?.find((some) => some.lane === lane);
      if (part === undefined) throw new Error('the lane is there');
      await store.correctFolded(deploymentId, alice, part, 2);
      expect(await used()).toBe(7);
      await store.correctFolded(deploymentId, alice, part, 2);
      expect(await used()).toBe(7);
      const now = (await store.readParts(deploymentId, alice))?.find((some) => some.lane === lane);
      if (now === undefined) throw new Error('the lane is there');
      await store.correctFolded(deploymentId, alice, now, -2);
      expect(await used()).toBe(5);
      for (const session of [one, two]) await store.putSession(freeSession(session.value), session);
      expect(await used()).toBe(3);
    });

    test('goes with the last of its sessions, and leaves nothing', async () => {
      const narrow = await widen();
      const session = await putFolded('a');
      const place = await placeFor('b');
      await add(place);
      expect(await store.removePlaces(deploymentId, alice, [...narrow, place], false)).toEqual({
        removed: 4,
        gone: false,
      });
      expect((await store.putSession(freeSession(session.value), session)).kind).toBe('done');
      await store.gatherReserve(deploymentId, alice);
      expect(await store.readRoster(deploymentId, alice)).toEqual({ used: 0, places: new Set() });
      expect(await store.readParts(deploymentId, alice)).toBeUndefined();
      // The next one begins narrow again.
      expect(isWide(await placeFor('a'))).toBe(false);
    });
  });
}
