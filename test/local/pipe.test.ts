// The pipe that stands for a TCP connection inside the process behaves as one.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { createPipe } from '../../local/pipe.ts';

const all = async (end: Duplex): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of end) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

test('what was written before the end was destroyed arrives, and then the end', async () => {
  const [near, far] = createPipe();
  near.write('a');
  near.write('b');
  near.destroy();
  expect(await all(far)).toBe('ab');
  expect(far.destroyed).toBe(true);
});

test('it carries both directions, and each end can be ended alone by writing no more', async () => {
  const [near, far] = createPipe();
  near.end('question');
  const asked = all(far);
  far.end('answer');
  expect(await all(near)).toBe('answer');
  expect(await asked).toBe('question');
});

test('a writer waits for a slow reader, and nothing is lost', async () => {
  const [near, far] = createPipe();
  const chunk = Buffer.alloc(40_000, 'x');
  let written = 0;
  while (near.write(chunk)) written += 1;
  expect(written).toBeLessThan(10);
  let drained = false;
  near.once('drain', () => {
    drained = true;
  });
  await new Promise(setImmediate);
  expect(drained).toBe(false);
  const read = all(far);
  await once(near, 'drain');
  near.end();
  expect((await read).length).toBe((written + 1) * chunk.length);
});

test('writing to an end that is gone fails as a socket does', async () => {
  const [near, far] = createPipe();
  far.destroy();
  const failed = once(near, 'error');
  near.write('x');
  expect((await failed)[0]).toMatchObject({ code: 'EPIPE' });
  expect(near.destroyed).toBe(true);
});

test('a writer that waits for its reader fails when the reader is destroyed', async () => {
  const [near, far] = createPipe();
  const failed = once(near, 'error');
  while (near.write(Buffer.alloc(40_000)));
  far.destroy();
  expect((await failed)[0]).toMatchObject({ code: 'EPIPE' });
});

test('a reader never runs inside the call that writes', async () => {
  const [near, far] = createPipe();
  let calling = false;
  const inside: boolean[] = [];
  far.on('data', () => inside.push(calling));
  for (let index = 0; index < 3; index += 1) {
    calling = true;
    near.write('x');
    calling = false;
    await new Promise(setImmediate);
  }
  expect(inside).toEqual([false, false, false]);
});
