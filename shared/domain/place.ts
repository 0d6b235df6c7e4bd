// What a place tells by itself. Up to a certain size a username's places lie in one roster item, and a place is random
// bytes only. Beyond it the roster is wide: places are spread over lanes, items of their own that can be written side by
// side, and a place says in its first byte which one it lies in. Lane 0 is the roster item itself.
//
// A place of a lane has a second form, folded: the session is counted in the lane's number, and its place may leave the
// lane. Only the store folds a place. It stays the place of the same life, so compare places with `isSamePlace`.

import type { Place } from './ids.ts';

/** Base64url characters of a wide place: 9 bytes, one more than a narrow one has. */
const wideLength = 12;

/** Behind the characters of a wide place. Not of their alphabet, so that no place can be taken for it. */
const foldedMark = '#';

export function isWide(place: Place): boolean {
  return place.length >= wideLength;
}

/** Whether both are of the same life of a session. */
export function isSamePlace(a: Place, b: Place): boolean {
  return unfolded(a) === unfolded(b);
}

export function isFolded(place: Place): boolean {
  return place.endsWith(foldedMark);
}

export function folded(place: Place): Place {
  return `${unfolded(place)}${foldedMark}` as Place;
}

export function unfolded(place: Place): Place {
  return (isFolded(place) ? place.slice(0, -1) : place) as Place;
}

/** 0 for every narrow place. */
export function laneOf(place: Place): number {
  return isWide(place) ? (Buffer.from(place.slice(0, wideLength), 'base64url')[0] ?? 0) : 0;
}

/** A narrow place, put into a lane (0 to 255) of a wide roster. */
export function placeInLane(place: Place, lane: number): Place {
  return Buffer.concat([Buffer.of(lane), Buffer.from(place, 'base64url')]).toString('base64url') as Place;
}
