// A front door in a process of its own, whose memory is told apart from that of its clients and its broker.

import { connect as dialTcp } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { answerParent } from '../child/child.ts';
import { createInstantDoor } from './instant-door.ts';

export type DoorQuestion =
  | {
      readonly kind: 'open';
      readonly brokerPort: number;
      /** Both sides of it, as on AWS; TCP on both sides otherwise. */
      readonly tls?: { readonly key: string; readonly cert: string };
    }
  | { readonly kind: 'memory' };

export interface DoorMemory {
  readonly connections: number;
  readonly residentBytes: number;
  /** Of JavaScript, and of buffers. */
  readonly heapBytes: number;
}

let connections = (): number => 0;

async function open(question: DoorQuestion & { kind: 'open' }): Promise<number> {
  const { brokerPort: port, tls } = question;
  const to = { host: '127.0.0.1', port };
  const door = createInstantDoor(() =>
    tls === undefined
      ? dialTcp({ ...to, noDelay: true })
      : dialTls({ ...to, rejectUnauthorized: false }).setNoDelay(true),
  );
  connections = door.connections;
  const at = { host: '127.0.0.1', port: 0 };
  return (await (tls === undefined ? door.listenTcp(at) : door.listenTls({ ...at, ...tls }))).port;
}

function readMemory(): DoorMemory {
  // Started with --expose-gc: what nobody holds any more is no connection's.
  for (let n = 0; n < 3; n++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { connections: connections(), residentBytes: rss, heapBytes: heapUsed + external };
}

answerParent(async (question: DoorQuestion) => (question.kind === 'open' ? open(question) : readMemory()));
