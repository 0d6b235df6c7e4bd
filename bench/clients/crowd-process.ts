// A process that holds a part of a crowd, so that its clients neither share a turn with what they measure nor with whoever
// counts. It ends with the process that started it, however that one ends.

import { setTimeout as wait } from 'node:timers/promises';
import { answerParent } from '../child/child.ts';
import { type Answer, type Device, type LightClient, openLightClient, type Place } from './light-client.ts';

/** The latest time for one step; on a slow machine a burst takes its time, and a broken peer must not hold everything. */
const answerWithinMs = 30_000;
const pingWithinMs = 15_000;
const leaveWithinMs = 5_000;
/** More at once would overflow the short queue of sockets that some brokers listen with. */
const openAtOnce = 50;

let clients: LightClient[] = [];
let admitted: LightClient[] = [];

const nowMs = (): number => performance.timeOrigin + performance.now();

export interface Volley {
  readonly answers: readonly Answer[];
  /** When the first CONNECT left and the last answer came, in milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

const api = answerParent({
  /** Opens a socket for each device and sends nothing. Answers how many could not be opened. */
  async open(place: Place, devices: readonly Device[]): Promise<number> {
    clients = [];
    admitted = [];
    let failed = 0;
    for (let from = 0; from < devices.length; from += openAtOnce) {
      const some = devices.slice(from, from + openAtOnce);
      const opened = await Promise.allSettled(some.map((device) => openLightClient(place, device)));
      for (const one of opened)
        if (one.status === 'fulfilled') clients.push(one.value);
        else failed += 1;
    }
    return failed;
  },

  /** Every CONNECT leaves at `at` (milliseconds since 1970): all processes' at the same moment. */
  async connectAll(at: number): Promise<Volley> {
    await wait(Math.max(0, at - nowMs() - 5));
    // A timer is some milliseconds late; the rest is waited for here, so that every process starts together.
    while (nowMs() < at);
    const firstAt = nowMs();
    const answers = await Promise.all(clients.map((client) => client.connect(answerWithinMs)));
    const lastAt = nowMs();
    admitted = clients.filter((_, n) => answers[n]?.told === 0);
    return { answers, firstAt, lastAt };
  },

  /** The admitted devices that answer a PINGREQ. */
  async pingAll(): Promise<readonly string[]> {
    const alive = await Promise.all(admitted.map((client) => client.ping(pingWithinMs)));
    return admitted.filter((_, n) => alive[n]).map(({ clientId }) => clientId);
  },

  /**
   * Connects the devices in turn, `width` at a time, each on its own socket. The admitted ones stay. After `withinMs` no
   * other device begins.
   */
  async join(place: Place, devices: readonly Device[], width: number, withinMs: number): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    const until = nowMs() + withinMs;
    const coming = devices[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (const device of coming) {
        if (nowMs() > until) return;
        const client = await openLightClient(place, device);
        const answer = await client.connect(answerWithinMs);
        answers.push(answer);
        if (answer.told === 0) admitted.push(client);
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
    return answers;
  },

  async leaveAll(): Promise<void> {
    await Promise.all(admitted.map((client) => client.leave(leaveWithinMs)));
    clients = [];
    admitted = [];
  },
});

export type CrowdApi = typeof api;
