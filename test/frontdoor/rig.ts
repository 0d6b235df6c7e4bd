// What the tests of the front door stand on: the front door itself, a real broker behind it, and raw sockets.
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';
import { generate } from 'mqtt-packet';
import { createFrontDoor, type FrontDoor, type FrontDoorOptions } from '../../frontdoor/front-door.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import type { Connect, ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import {
  type Parsed,
  parseAttemptId,
  parseClientId,
  parseDeploymentId,
  parseUsername,
} from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';

function must<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

export type Admission = Partial<Extract<ConnectDecision, { kind: 'admitted' }>>;

/** Admits whoever comes, on what the request says. */
export function admit(request: ConnectRequest, more: Admission = {}): ConnectDecision {
  const deploymentId = must(parseDeploymentId(request.deploymentId ?? ''));
  return {
    kind: 'admitted',
    deploymentId,
    username: must(parseUsername(request.username ?? '')),
    clientId: must(parseClientId(deploymentId, request.clientId)),
    attempt: must(parseAttemptId('attempt-0123456789')),
    expirySeconds: seconds(3_600),
    reconnect: false,
    ...more,
  };
}

export function reject(reason: Extract<ConnectDecision, { kind: 'rejected' }>['reason']): ConnectDecision {
  return { kind: 'rejected', reason, detail: 'for the test' };
}

export interface Rig {
  readonly door: FrontDoor;
  readonly port: number;
  /** Every request that the admission was asked, oldest first. */
  readonly requests: ConnectRequest[];
  readonly reports: DoorReport[];
  readonly logged: string[];
  readonly close: () => Promise<void>;
}

export interface RigOptions extends Partial<Omit<FrontDoorOptions, 'connect' | 'dialBroker'>> {
  readonly decide?: (request: ConnectRequest) => ConnectDecision | Promise<ConnectDecision>;
  /** The port of a broker on loopback. */
  readonly brokerPort?: number;
  readonly dialBroker?: FrontDoorOptions['dialBroker'];
}

export async function startRig({ decide = admit, brokerPort, ...options }: RigOptions = {}): Promise<Rig> {
  const requests: ConnectRequest[] = [];
  const reports: DoorReport[] = [];
  const logged: string[] = [];
  const log = (message: string, fields?: object) => void logged.push(JSON.stringify({ message, ...fields }));
  const decideNoted: Connect = async ({ onProven, ...request }) => {
    requests.push(request);
    return decide(request);
  };
  const clock = { now: () => ms(1_000) };
  const telling = { rejections: { record: () => undefined }, clock, log: { info: log, warn: log, error: log } };
  const connect = tellingRefusals(decideNoted, telling);
  const door = createFrontDoor({
    report: async (report) => void reports.push(report),
    issueTicket: (claims) => `ticket-for-${claims.clientId}`,
    dialBroker: () => {
      if (brokerPort === undefined) throw new Error('this test has no broker');
      return dial({ host: '127.0.0.1', port: brokerPort });
    },
    deploymentOfServerName: () => undefined,
    defaultDeployment: 'demo',
    clock,
    log: telling.log,
    connectTimeoutMs: 5_000,
    reportRetryDelaysMs: [1, 1],
    ...options,
    connect,
  });
  const { port } = await door.listenTcp({ host: '127.0.0.1', port: 0 });
  return { door, port, requests, reports, logged, close: () => door.close() };
}

async function listenOnLoopback(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening on a port');
  return address.port;
}

export interface SeenConnect {
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: string | undefined;
  readonly cleanStart: boolean;
}

/** A real broker, and what it was sent in CONNECT. */
export async function startBroker(options: AedesOptions = {}) {
  const seen: SeenConnect[] = [];
  const broker = await Aedes.createBroker({
    maxClientsIdLength: 128,
    preConnect: (_client, packet, done) => {
      seen.push({
        clientId: packet.clientId,
        userName: packet.username,
        password: packet.password?.toString(),
        cleanStart: packet.clean ?? true,
      });
      done(null, true);
    },
    ...options,
  });
  const server = createServer((socket) => void broker.handle(socket));
  const port = await listenOnLoopback(server);
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => broker.close(resolve));
    await closed;
  };
  return { broker, port, seen, close };
}

/** A peer that does with each socket what the test says: what no real broker would do, to order. */
export async function startPeer(behave: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    behave(socket);
  });
  const port = await listenOnLoopback(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { port, sockets, close };
}

/** A client without any MQTT in it: writes bytes, remembers bytes. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received: Buffer = Buffer.alloc(0);
  hadError = false;

  constructor(port: number, allowHalfOpen = false, localAddress = '127.0.0.1') {
    this.socket = dial({ host: '127.0.0.1', port, allowHalfOpen, localAddress, noDelay: true });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('error', () => {
      this.hadError = true;
    });
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
  }

  /** The whole that was received, in hex, once the peer has closed. */
  async all(): Promise<string> {
    await this.closed;
    return this.received.toString('hex');
  }
}

type Packet = Parameters<typeof generate>[0];

export function connectBytes(fields: Partial<Extract<Packet, { cmd: 'connect' }>> = {}): Buffer {
  const version = fields.protocolVersion ?? 5;
  return generate({
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clean: true,
    clientId: 'c1',
    keepalive: 60,
    username: 'alice',
    password: Buffer.from('alice-secret'),
    ...fields,
  });
}

export function packetBytes(packet: Packet, protocolVersion = 5): Buffer {
  return generate(packet, { protocolVersion });
}
