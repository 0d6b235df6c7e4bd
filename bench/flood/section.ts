// Section `flood`: how long a correct CONNECT takes while wrong ones come from another address. How many checks run before
// it is what tests count (`test/core/fair-shares.test.ts`); this is the time that it takes on this machine.

import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { startChild } from '../child/child.ts';
import { latencyRows, timed } from '../latency/rounds.ts';
import type { Servers } from '../latency/servers-process.ts';
import type { Section } from '../section.ts';

const users = ['alice', 'bob', 'bridge'] as const;
/** Longer than a right password is remembered: each correct CONNECT is checked. */
const forgottenMs = 3_500;
const guessers = 200;
const leaversPerSecond = 30;
/** Another address of loopback. */
const guessersAddress = '127.0.0.2';

let numbered = 0;

function connectBytes(username: string, password: string): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: `flood-${++numbered}`,
    keepalive: 60,
    username,
    password: Buffer.from(password),
  });
}

function open(port: number, localAddress: string): Socket {
  const socket = dial({ host: '127.0.0.1', port, localAddress, noDelay: true });
  socket.on('error', () => socket.destroy());
  return socket;
}

async function connectRight(port: number, username: string): Promise<void> {
  const socket = open(port, '127.0.0.1');
  socket.write(connectBytes(username, `${username}-secret`));
  const closed = once(socket, 'close').then(() => [Buffer.alloc(0)]);
  const [answer = Buffer.alloc(0)] = (await Promise.race([once(socket, 'data'), closed])) as Buffer[];
  socket.destroy();
  if (answer[3] !== 0) throw new Error(`a correct CONNECT was answered ${answer.toString('hex')}`);
}

/** All stop when asked to. `stays`: whether a guesser waits for its answer, or closes at once and comes again. */
function startFlood(port: number, stays: boolean): { stop(): Promise<void> } {
  const sockets = new Set<Socket>();
  let ending = false;
  const guess = async (n: number): Promise<void> => {
    while (!ending) {
      const socket = open(port, guessersAddress);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume().write(connectBytes(`nobody-${n}`, `guess-${++numbered}`), () => {
        if (!stays) socket.destroy();
      });
      sockets.add(socket);
      await closed;
      sockets.delete(socket);
      if (!stays) await wait(1_000);
    }
  };
  const all = Array.from({ length: stays ? guessers : leaversPerSecond }, (_, n) => guess(n));
  return {
    async stop() {
      ending = true;
      for (const socket of sockets) socket.destroy();
      await Promise.all(all);
    },
  };
}

async function timeRight(port: number, rounds: number): Promise<readonly (readonly number[])[]> {
  const times: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    await wait(forgottenMs);
    const now: number[] = [];
    for (const username of users) now.push(await timed(() => connectRight(port, username)));
    times.push(now);
  }
  return times;
}

export const section: Section = {
  name: 'flood',
  title: 'A correct CONNECT during a flood of wrong ones',
  async run({ full, say }) {
    const servers = startChild(new URL('../latency/servers-process.ts', import.meta.url));
    const rounds = full ? 20 : 5;
    try {
      const { productDoor: port } = await servers.ask<Servers>('start');
      const alone = await timeRight(port, rounds);
      const during = async (stays: boolean): Promise<readonly (readonly number[])[]> => {
        const flood = startFlood(port, stays);
        const times = await timeRight(port, rounds);
        await flood.stop();
        say(stays ? `${guessers} that wait for their answer` : `${leaversPerSecond} a second that close at once`);
        return times;
      };
      const times = { alone, staying: await during(true), leaving: await during(false) };
      const what = 'a correct CONNECT with a chosen password';
      return {
        rows: [
          ...latencyRows(times, 'alone', `${what}, alone`),
          ...latencyRows(times, 'staying', `${what}, ${guessers} wrong ones waiting`),
          ...latencyRows(times, 'leaving', `${what}, ${leaversPerSecond} wrong ones a second that close at once`),
        ],
        notes: [
          `The whole product over TCP. Guesses come from ${guessersAddress}, at usernames that do not exist; correct CONNECTs come from 127.0.0.1, one at a time, each so late that its password is checked again. Guessers and product share this machine's cores.`,
        ],
      };
    } finally {
      await servers.stop();
    }
  },
};
