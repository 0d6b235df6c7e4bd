// Places as the table stores them: bytes, and sets of bytes. A JavaScript set tells byte arrays apart by identity, not by
// content, and DynamoDB refuses a set that holds a member twice. So the code holds a place as text, which sets and maps
// compare by content, and only this file makes sets of bytes.

import type { Place } from '../../../domain/ids.ts';

export function placeBytes(place: Place): Uint8Array {
  return Buffer.from(place, 'base64url');
}

export function placeOf(bytes: Uint8Array): Place {
  return Buffer.from(bytes).toString('base64url') as Place;
}

/** What a request carries as a set; each place once, however often it is given. Never empty: DynamoDB refuses that too. */
export function storedPlaces(places: Iterable<Place>): ReadonlySet<Uint8Array> {
  const distinct = new Set(places);
  if (distinct.size === 0) throw new RangeError('a stored set of places has at least one');
  return new Set([...distinct].map(placeBytes));
}

/** A set as it is stored; none where it has no member. */
export function placesOf(set: unknown): ReadonlySet<Place> {
  return new Set([...((set ?? []) as Iterable<Uint8Array>)].map(placeOf));
}
