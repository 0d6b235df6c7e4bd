// A front door in a process of its own, whose memory is told apart from that of its clients and its broker.

import { connect as dialTcp } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { answerParent } from '../child/child.ts';
import { createInstantDoor } from './instant-door.ts';

export interface Tls {
  readonly key: string;
  readonly cert: string;
}

export interface DoorMemory {
  readonly connections: number;
  readonly residentBytes: number;
  /** Of JavaScript, and of buffers. */
  readonly heapBytes: number;
}

let connections = (): number => 0;

const api = answerParent({
  /** Answers its port. `tls`: on both sides of it, as on AWS; TCP otherwise. */
  async open(brokerPort: number, tls?: Tls): Promise<number> {
    const to = { host: '127.0.0.1', port: brokerPort };
    const door = createInstantDoor(() =>
      tls === undefined
        ? dialTcp({ ...to, noDelay: true })
        : dialTls({ ...to, rejectUnauthorized: false }).setNoDelay(true),
    );
    connections = door.connections;
    const at = { host: '127.0.0.1', port: 0 };
    return (await (tls === undefined ? door.listenTcp(at) : door.listenTls({ ...at, ...tls }))).port;
  },

  async memory(): Promise<DoorMemory> {
    // Started with --expose-gc: what nobody holds any more is no connection's.
    for (let n = 0; n < 3; n++) globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { connections: connections(), residentBytes: rss, heapBytes: heapUsed + external };
  },
});

export type DoorApi = typeof api;
