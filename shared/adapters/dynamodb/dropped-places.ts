// Places of folded sessions that have not left their lanes yet: nothing is lost with them but a few bytes of an item, so
// they wait in the memory of the process until some of a lane can go together.

import type { DeploymentId, Place, Username } from '../../domain/ids.ts';
import { laneOf } from '../../domain/place.ts';

/** Lanes that a process keeps places of; of the one that waits longest they are forgotten beyond that. */
const lanesMax = 4_096;

export function createDroppedPlaces() {
  const waiting = new Map<string, readonly Place[]>();
  const nameOf = (id: DeploymentId, username: Username, place: Place): string =>
    JSON.stringify([id, username, laneOf(place)]);

  return {
    /** Answers all that wait of this place's lane, itself among them. */
    add(id: DeploymentId, username: Username, place: Place): readonly Place[] {
      const name = nameOf(id, username, place);
      const places = [...(waiting.get(name) ?? []), place];
      waiting.set(name, places);
      const [oldest] = waiting.keys();
      if (waiting.size > lanesMax && oldest !== undefined) waiting.delete(oldest);
      return places;
    },
    /** Those of the lane that this place lies in. */
    beside(id: DeploymentId, username: Username, place: Place): readonly Place[] {
      return waiting.get(nameOf(id, username, place)) ?? [];
    },
    /** They have left their lane, all of them the same. */
    forget(id: DeploymentId, username: Username, places: readonly Place[]): void {
      const [first] = places;
      if (first === undefined) return;
      const name = nameOf(id, username, first);
      const left = (waiting.get(name) ?? []).filter((place) => !places.includes(place));
      if (left.length === 0) waiting.delete(name);
      else waiting.set(name, left);
    },
  };
}
