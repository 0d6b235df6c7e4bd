// Headcount's front door before a broker that is there already, without a limit: what the door and its counting cost.

import { startChild } from '../child/child.ts';
import type { Peer } from './peer.ts';

const program = new URL('./front-door-process.ts', import.meta.url);

export async function startFrontDoorBefore(broker: Peer): Promise<Peer> {
  const child = startChild(program, { env: { BROKER_PORT: String(broker.port) } });
  const port = await child.ask<number>('where');
  return { name: `Headcount's front door before ${broker.name}`, port, login: broker.login, stop: () => child.stop() };
}
