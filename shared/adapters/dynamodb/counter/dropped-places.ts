// Places of folded sessions that have not left their lanes yet: nothing is lost with them but a few bytes of an item, so
// they wait in the memory of the process until some of a lane can go together.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import { laneOf } from '../../../domain/place.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';

/** Lanes that a process keeps places of; beyond that it forgets those of the lane that waits longest. */
const lanesMax = 4_096;
/** Places of one lane, while the database does not answer; beyond that it forgets the one that waits longest. */
const placesMax = 64;

export function createDroppedPlaces() {
  const waiting = new Map<string, Set<Place>>();
  const nameOf = (id: DeploymentId, username: Username, place: Place): string =>
    JSON.stringify([id, username, laneOf(place)]);

  /** They have left their lane, or never will by this process; all of them lie in the same one. */
  function forget(id: DeploymentId, username: Username, places: readonly Place[]): void {
    const [first] = places;
    if (first === undefined) return;
    const name = nameOf(id, username, first);
    const left = waiting.get(name);
    for (const place of places) left?.delete(place);
    if (left?.size === 0) waiting.delete(name);
  }

  return {
    /** Answers all that wait of this place's lane, itself among them; each of them once, however often it is added. */
    add(id: DeploymentId, username: Username, place: Place): readonly Place[] {
      const name = nameOf(id, username, place);
      const places = waiting.get(name) ?? new Set<Place>();
      waiting.set(name, places.add(place));
      forgetOldest(places, placesMax);
      forgetOldest(waiting, lanesMax);
      return [...places];
    },
    /** Those of the lane that this place lies in. */
    beside(id: DeploymentId, username: Username, place: Place): readonly Place[] {
      return [...(waiting.get(nameOf(id, username, place)) ?? [])];
    },
    forget,
    /**
     * Sends a write that takes these places out. Where the database does not answer they wait for the next one, which may
     * repeat it. A write that it refuses as invalid can never be applied, so they are forgotten: kept, they would make
     * every later write of their lane fail as well.
     */
    async sending<T>(
      id: DeploymentId,
      username: Username,
      places: readonly Place[],
      write: () => Promise<T>,
    ): Promise<T> {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) forget(id, username, places);
        throw error;
      }
    },
  };
}

/** Maps and sets list first what was put into them first. */
function forgetOldest<K>(kept: { readonly size: number; keys(): Iterable<K>; delete(key: K): boolean }, max: number) {
  const [oldest] = kept.keys();
  if (kept.size > max && oldest !== undefined) kept.delete(oldest);
}
