import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../bench/fleet/virtual-time.ts';

describe('virtual time', () => {
  it('stands still until all code has run as far as it gets, however many promises that takes', async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    const worker = async (name: string): Promise<void> => {
      await time.pause(10);
      for (let each = 0; each < 50; each++) await Promise.resolve();
      seen.push(`${name} at ${time.now}`);
    };
    const other = async (): Promise<void> => {
      await time.pause(10.5);
      seen.push(`other at ${time.now}`);
    };
    await time.run(() => Promise.all([worker('a'), worker('b'), other()]));
    expect(seen).toEqual(['a at 10', 'b at 10', 'other at 10.5']);
  });

  it('wakes in order of time, and does not wake who has cancelled', async () => {
    const time = new VirtualTime();
    const woken: number[] = [];
    for (const at of [30, 10, 20]) time.schedule(() => woken.push(at), at);
    time.schedule(() => woken.push(15), 15)();
    await time.run(() => time.pause(25));
    expect(woken).toEqual([10, 20]);
    await time.run(() => time.pause(25));
    expect(woken).toEqual([10, 20, 30]);
  });

  it('wakes those of one moment in the order in which they were planned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), async (delays) => {
        const time = new VirtualTime();
        const woken: (readonly [number, number])[] = [];
        for (const [each, delay] of delays.entries()) time.later(delay, () => woken.push([delay, each]));
        await time.run(() => time.pause(21));
        expect(woken).toEqual([...woken].sort(([a, x], [b, y]) => a - b || x - y));
        expect(woken).toHaveLength(delays.length);
      }),
    );
  });

  it('tells the product whole milliseconds of the same clock', async () => {
    const time = new VirtualTime();
    const before = time.clock.now();
    await time.run(() => time.pause(1_500.7));
    expect(time.clock.now() - before).toBe(1_500);
    time.skip(60_000);
    expect(time.clock.now() - before).toBe(61_500);
  });

  it('lends its pauses and its chance to code that takes those of Node, and gives them back', async () => {
    const { random } = Math;
    const drawn: number[] = [];
    const work = async (): Promise<string> => {
      drawn.push(Math.random());
      return pause(3_600_000, 'an hour later');
    };
    const time = new VirtualTime(7);
    expect(await time.run(work)).toBe('an hour later');
    expect(time.now).toBe(3_600_000);
    await new VirtualTime(7).run(work);
    expect(drawn[1]).toBe(drawn[0]);
    expect(Math.random).toBe(random);
    expect(await pause(1, 'at once')).toBe('at once');
    expect(time.now).toBe(3_600_000);
  });

  it('says so where work waits for nothing that is planned', async () => {
    const time = new VirtualTime();
    await expect(time.run(() => new Promise(() => undefined))).rejects.toThrow('nothing is planned any more');
  });

  it('hands on what the work throws', async () => {
    const time = new VirtualTime();
    const work = async (): Promise<void> => {
      await time.pause(5);
      throw new Error('no');
    };
    await expect(time.run(() => work())).rejects.toThrow('no');
  });
});
