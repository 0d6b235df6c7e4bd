// Time passes: a little, while calls are under way, or a lot.

import { dial, dialWithinMs } from './connects.ts';
import { tellHappenings } from './presence-wire.ts';
import type { World } from './world.ts';

/** IoT Core gives its authorizer 5 s; a CONNECT that takes longer has ended, one way or another. */
const connectEndsMs = 5_000;
/** The time-out of the functions that read the queue and sweep. */
const workerEndsMs = 60_000;
/** In runs with late CONNECTs, how late they are at most: beyond their lease. */
const lateAtMostMs = 120_000;
/** A request that its sender has given up has arrived by then, or never will. */
const networkForgetsMs = 2_000;

/** Stops at every time at which the broker ends something, so that nothing really lives longer than it may. */
export async function advance(world: World, lengthMs: number, draw: number): Promise<void> {
  world.tell(undefined, `${lengthMs} ms pass`);
  if (lengthMs > networkForgetsMs) {
    for (const late of [...world.lateWrites]) {
      if (draw % 2 === 0) await world.land(late);
      else world.lateWrites.splice(world.lateWrites.indexOf(late), 1);
    }
    world.forgetHistory();
  }
  await endOverdue(world, lengthMs, draw);
  let left = lengthMs;
  while (left > 0) {
    const next = world.oracle.nextCut();
    const step = next === undefined ? left : Math.min(left, Math.max(1, next - world.clock.now()));
    world.clock.advance(step);
    left -= step;
    tellHappenings(world, world.oracle.cutOld(), draw);
    world.checkNow();
  }
}

async function endOverdue(world: World, lengthMs: number, draw: number): Promise<void> {
  const until = world.clock.now() + lengthMs;
  for (const actor of world.running()) {
    const endsMs = actor.kind === 'connect' ? connectEndsMs : workerEndsMs;
    if (until - actor.startedAt <= endsMs) continue;
    // Killed by its time-out where faults happen; else it was quick enough after all.
    if (world.config.faults === 'none' || draw % 3 !== 0) await world.finish(actor);
    else world.kill(actor);
  }
  for (const call of [...world.dials]) {
    if (
      until - call.admittedAt > dialWithinMs &&
      !(world.config.lateDials && draw % 2 === 0 && until - call.admittedAt < lateAtMostMs)
    )
      dial(world, call, draw % 4 !== 0, draw);
  }
}
