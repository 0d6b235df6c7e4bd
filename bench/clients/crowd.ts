// Many clients, held by processes of their own: all of them CONNECT at the same moment, or so many at a time.

import { startChild } from '../child/child.ts';
import type { CrowdApi } from './crowd-process.ts';
import type { Answer, Device, Place } from './light-client.ts';

export interface Burst {
  readonly answers: readonly Answer[];
  /** From the first CONNECT to the last answer. */
  readonly tookMs: number;
}

export interface Crowd {
  /** All of them at the same moment; resolves when everyone has an answer, or none in time. Rejects without a socket each. */
  burst(place: Place, devices: readonly Device[]): Promise<Burst>;
  /**
   * One after the other, `width` at a time; also a client id that is there already. They stay. Devices that have not begun
   * within `withinMs` are left out, and have no answer.
   */
  join(place: Place, devices: readonly Device[], width: number, withinMs?: number): Promise<readonly Answer[]>;
  /**
   * Who is alive, all of them at one instant: everyone was told 0 before the first PINGREQ leaves, and who answers one
   * was still there after that.
   */
  alive(): Promise<readonly string[]>;
  /** Everyone disconnects. */
  leave(): Promise<void>;
  /** Ends the processes. */
  stop(): Promise<void>;
}

/** Enough for every process to hear of it. */
const startsInMs = 60;

export function startCrowd(processes = 2): Crowd {
  const children = Array.from({ length: processes }, () =>
    startChild<CrowdApi>(new URL('./crowd-process.ts', import.meta.url)),
  );
  const partOf = <T>(all: readonly T[], n: number): readonly T[] => all.filter((_, each) => each % processes === n);

  return {
    async burst(place, devices) {
      const failed = await Promise.all(children.map(({ call }, n) => call.open(place, partOf(devices, n))));
      const missing = failed.reduce((sum, one) => sum + one, 0);
      if (missing > 0) throw new Error(`${missing} of ${devices.length} sockets could not be opened`);
      const at = performance.timeOrigin + performance.now() + startsInMs;
      const parts = await Promise.all(children.map(({ call }) => call.connectAll(at)));
      const firstAt = Math.min(...parts.map((part) => part.firstAt));
      const lastAt = Math.max(...parts.map((part) => part.lastAt));
      return { answers: parts.flatMap(({ answers }) => answers), tookMs: lastAt - firstAt };
    },
    async join(place, devices, width, withinMs = Number.POSITIVE_INFINITY) {
      const each = Math.ceil(width / processes);
      const parts = children.map((child, n) => ({ child, devices: partOf(devices, n) }));
      const busy = parts.filter((part) => part.devices.length > 0);
      return (await Promise.all(busy.map((part) => part.child.call.join(place, part.devices, each, withinMs)))).flat();
    },
    async alive() {
      return (await Promise.all(children.map(({ call }) => call.pingAll()))).flat();
    },
    async leave() {
      await Promise.all(children.map(({ call }) => call.leaveAll()));
    },
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
    },
  };
}
