// What a process remembers of places that are to leave their lanes: a failed write leaves it valid, or gone.

import { expect, test } from 'vitest';
import { createDroppedPlaces } from '../../shared/adapters/dynamodb/counter/dropped-places.ts';
import type { DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { placeInLane } from '../../shared/domain/place.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';

const id = 'demo' as DeploymentId;
const fleet = 'fleet' as Username;
const place = (n: number): Place =>
  placeInLane(Buffer.from(String(n).padStart(8, '0')).toString('base64url') as Place, 3);
const failing = (error: Error) => (): Promise<never> => Promise.reject(error);

test('a place waits once, however often it is added', () => {
  const dropped = createDroppedPlaces();
  dropped.add(id, fleet, place(1));
  dropped.add(id, fleet, place(2));
  expect(dropped.add(id, fleet, place(1))).toEqual([place(1), place(2)]);
  dropped.forget(id, fleet, [place(1)]);
  expect(dropped.beside(id, fleet, place(9))).toEqual([place(2)]);
});

test('while the database does not answer they go on waiting, and no more than so many', async () => {
  const dropped = createDroppedPlaces();
  for (let n = 0; n < 1_000; n++) {
    const waiting = dropped.add(id, fleet, place(n));
    const sent = dropped.sending(id, fleet, waiting, failing(new StoreUnavailable(new Error('away'))));
    await expect(sent).rejects.toThrow(StoreUnavailable);
  }
  const waiting = dropped.beside(id, fleet, place(0));
  expect(waiting).toHaveLength(64);
  expect(waiting.at(-1)).toBe(place(999));
});

test('a write that is refused as invalid takes them along, so that no later one fails because of them', async () => {
  const dropped = createDroppedPlaces();
  const waiting = dropped.add(id, fleet, place(1));
  await expect(dropped.sending(id, fleet, waiting, failing(new TypeError('invalid')))).rejects.toThrow('invalid');
  expect(dropped.add(id, fleet, place(2))).toEqual([place(2)]);
});
