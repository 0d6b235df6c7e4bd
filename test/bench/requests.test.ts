import { expect, test } from 'vitest';
import { countLives } from '../../bench/requests/lives.ts';

test('a clean life asks the database 9 times through the front door, 4 of them before CONNACK, and a crowd less', async () => {
  const { frontDoor, straight, inCrowd } = await countLives(16);
  expect(frontDoor, frontDoor.detail).toMatchObject({ beforeConnack: 4 });
  expect(frontDoor.inAll, frontDoor.detail).toBeLessThanOrEqual(9);
  expect(straight, straight.detail).toMatchObject({ beforeConnack: 4 });
  expect(straight.inAll, straight.detail).toBeLessThanOrEqual(11);
  expect(inCrowd).toBeLessThan(9);
}, 60_000);
