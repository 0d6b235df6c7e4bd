// Many clients that CONNECT at the same moment with one username, held by processes of their own.

import { type Child, startChild } from '../child/child.ts';
import type { Orders } from './crowd-orders.ts';
import type { Answer, Login } from './light-client.ts';

export interface Burst {
  readonly answers: readonly Answer[];
  /** From the first CONNECT to the last answer. */
  readonly tookMs: number;
}

export interface Crowd {
  /** Opens a socket for each client id; nobody says anything yet. Rejects where one cannot be opened. */
  open(port: number, login: Login, clientIds: readonly string[]): Promise<void>;
  /** All of them at the same moment; resolves when everyone has an answer, or none in time. */
  connect(): Promise<Burst>;
  /**
   * Who is alive, all of them at one instant: everyone was told 0 before the first PINGREQ leaves, and who answers one
   * was still there after that.
   */
  alive(): Promise<readonly string[]>;
  /** A client id on a socket of its own, also while another one of it is open. */
  again(port: number, login: Login, clientId: string): Promise<Answer>;
  /** Everyone disconnects. */
  leave(): Promise<void>;
  /** Ends the processes. */
  stop(): Promise<void>;
}

const program = new URL('./crowd-process.ts', import.meta.url);
/** Enough for every process to hear of it. */
const startsInMs = 60;

function ask<Name extends keyof Orders>(
  child: Child,
  name: Name,
  order: Orders[Name]['ask'],
): Promise<Orders[Name]['answer']> {
  return child.ask({ do: name, ...order });
}

export function startCrowd(processes = 2): Crowd {
  const children = Array.from({ length: processes }, () => startChild(program));
  let next = 0;

  return {
    async open(port, login, clientIds) {
      const opened = await Promise.all(
        children.map((child, place) => {
          const part = clientIds.filter((_, each) => each % processes === place);
          return ask(child, 'open', { port, login, clientIds: part });
        }),
      );
      const failed = opened.reduce((sum, one) => sum + one.failed, 0);
      if (failed > 0) throw new Error(`${failed} of ${clientIds.length} sockets could not be opened`);
    },
    async connect() {
      const at = performance.timeOrigin + performance.now() + startsInMs;
      const parts = await Promise.all(children.map((child) => ask(child, 'connect', { at })));
      const firstAt = Math.min(...parts.map((part) => part.firstAt));
      const lastAt = Math.max(...parts.map((part) => part.lastAt));
      return { answers: parts.flatMap(({ answers }) => answers), tookMs: lastAt - firstAt };
    },
    async alive() {
      return (await Promise.all(children.map((child) => ask(child, 'ping', {})))).flat();
    },
    async again(port, login, clientId) {
      const child = children[next++ % processes];
      if (child === undefined) throw new Error('a crowd has at least one process');
      return ask(child, 'again', { port, login, clientId });
    },
    async leave() {
      await Promise.all(children.map((child) => ask(child, 'leave', {})));
    },
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
    },
  };
}
