// Idle connections held by a front door in a process of its own, and what it holds for each of them.

import { type Child, startChild } from '../child/child.ts';
import type { CrowdQuestion } from './crowd-process.ts';
import type { DoorMemory, DoorQuestion } from './door-process.ts';

/** Opened and closed again before anything is counted, so that code and buffers which stay are there already. */
const rehearsed = 200;

export interface Held {
  readonly connections: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

async function settle(door: Child, connections: number): Promise<DoorMemory> {
  for (let tried = 0; tried < 100; tried++) {
    const memory = await door.ask<DoorMemory>({ kind: 'memory' } satisfies DoorQuestion);
    if (memory.connections === connections) return memory;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the front door never held ${connections} connections`);
}

/** `tls`: on both sides. Bytes are those of one connection. */
export async function hold(count: number, tls: { key: string; cert: string } | undefined): Promise<Held> {
  const door = startChild(new URL('./door-process.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  const crowd = startChild(new URL('./crowd-process.ts', import.meta.url));
  const secure = tls === undefined ? {} : { tls };
  try {
    const brokerPort = await crowd.ask<number>({ kind: 'broker', ...secure } satisfies CrowdQuestion);
    const doorPort = await door.ask<number>({ kind: 'open', brokerPort, ...secure } satisfies DoorQuestion);
    const join = (more: number): Promise<number> =>
      crowd.ask({ kind: 'clients', doorPort, count: more, tls: tls !== undefined } satisfies CrowdQuestion);
    await join(rehearsed);
    await crowd.ask({ kind: 'leave' } satisfies CrowdQuestion);
    const before = await settle(door, 0);
    await join(count);
    const after = await settle(door, count);
    return {
      connections: count,
      residentBytes: (after.residentBytes - before.residentBytes) / count,
      heapBytes: (after.heapBytes - before.heapBytes) / count,
    };
  } finally {
    await crowd.stop();
    await door.stop();
  }
}
