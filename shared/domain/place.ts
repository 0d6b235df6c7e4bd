// What a place tells by itself. Up to a certain size a username's places lie in one roster item, and a place is random
// bytes only. Beyond it the roster is wide: places are spread over lanes, items of their own that can be written side by
// side, and a place says in its first byte which one it lies in. Lane 0 is the roster item itself.

import type { Place } from './ids.ts';

/** Base64url characters of a wide place: 9 bytes, one more than a narrow one has. */
const wideLength = 12;

export function isWide(place: Place): boolean {
  return place.length === wideLength;
}

/** 0 for every narrow place. */
export function laneOf(place: Place): number {
  return isWide(place) ? (Buffer.from(place, 'base64url')[0] ?? 0) : 0;
}

/** A narrow place, put into a lane (0 to 255) of a wide roster. */
export function placeInLane(place: Place, lane: number): Place {
  return Buffer.concat([Buffer.of(lane), Buffer.from(place, 'base64url')]).toString('base64url') as Place;
}
