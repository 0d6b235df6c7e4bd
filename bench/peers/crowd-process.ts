// A process that holds a part of a burst's clients, so that they neither share a turn with what they measure nor with
// whoever counts. It ends with the process that started it, however that one ends.

import { setTimeout as wait } from 'node:timers/promises';
import { answerParent } from '../child/child.ts';
import { answerWithinMs, leaveWithinMs, type Order, type Orders, pingWithinMs } from './crowd-orders.ts';
import { type LightClient, openLightClient } from './light-client.ts';

/** More at once would overflow the short queue of sockets that some brokers listen with. */
const openAtOnce = 50;

let clients: LightClient[] = [];
let admitted: LightClient[] = [];

const nowMs = (): number => performance.timeOrigin + performance.now();

async function open({ port, login, clientIds }: Orders['open']['ask']): Promise<Orders['open']['answer']> {
  clients = [];
  admitted = [];
  let failed = 0;
  for (let from = 0; from < clientIds.length; from += openAtOnce) {
    const some = clientIds.slice(from, from + openAtOnce);
    const opened = await Promise.allSettled(some.map((clientId) => openLightClient(port, clientId, login)));
    for (const one of opened)
      if (one.status === 'fulfilled') clients.push(one.value);
      else failed += 1;
  }
  return { failed };
}

async function connectAll(at: number): Promise<Orders['connect']['answer']> {
  await wait(Math.max(0, at - nowMs() - 5));
  // A timer is some milliseconds late; the rest is waited for here, so that every process starts together.
  while (nowMs() < at);
  const firstAt = nowMs();
  const answers = await Promise.all(clients.map((client) => client.connect(answerWithinMs)));
  const lastAt = nowMs();
  admitted = clients.filter((_, place) => answers[place]?.told === 0);
  return { answers, firstAt, lastAt };
}

async function pingAll(): Promise<Orders['ping']['answer']> {
  const alive = await Promise.all(admitted.map((client) => client.ping(pingWithinMs)));
  return admitted.filter((_, place) => alive[place]).map(({ clientId }) => clientId);
}

async function again({ clientId, port, login }: Orders['again']['ask']): Promise<Orders['again']['answer']> {
  const client = await openLightClient(port, clientId, login);
  const answer = await client.connect(answerWithinMs);
  if (answer.told === 0) admitted = [...admitted, client];
  return answer;
}

async function leaveAll(): Promise<Orders['leave']['answer']> {
  await Promise.all(admitted.map((client) => client.leave(leaveWithinMs)));
  clients = [];
  admitted = [];
  return 'left';
}

function obey(order: Order): Promise<Orders[keyof Orders]['answer']> {
  switch (order.do) {
    case 'open':
      return open(order);
    case 'connect':
      return connectAll(order.at);
    case 'ping':
      return pingAll();
    case 'again':
      return again(order);
    case 'leave':
      return leaveAll();
  }
}

answerParent(obey);
