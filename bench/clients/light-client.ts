// An MQTT client that weighs as little as it can: a bare socket, packets by mqtt-packet. It knows what it was told
// and whether it is still there, and nothing else: 500 of them must not slow down what they measure.

import { once } from 'node:events';
import { connect as dialTcp, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { generate, parser } from 'mqtt-packet';

/** Who a client says it is, and how: 4 is MQTT 3.1.1. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly protocolVersion: 4 | 5;
}

export interface Device {
  readonly clientId: string;
  readonly login: Login;
}

/** On loopback. */
export interface Place {
  readonly port: number;
  readonly tls?: boolean;
}

/** `closed`: the socket ended without a CONNACK. `silent`: nothing came in time. */
export type Told = number | 'closed' | 'silent';

export interface Answer {
  readonly clientId: string;
  /** The CONNACK's return or reason code; 0 for who is admitted. */
  readonly told: Told;
  /** From the CONNECT to its answer. */
  readonly tookMs: number;
}

export interface LightClient {
  readonly clientId: string;
  /** Sends CONNECT on the open socket. */
  connect(withinMs: number): Promise<Answer>;
  /** Whether a PINGREQ is answered: who answers was alive at the moment when it was sent. */
  ping(withinMs: number): Promise<boolean>;
  /** DISCONNECT, and the end of the socket. */
  leave(withinMs: number): Promise<void>;
}

// Both are the same bytes in every version of MQTT.
const pingreq = generate({ cmd: 'pingreq' });
const disconnect = generate({ cmd: 'disconnect' });

function connectPacket(clientId: string, { username, password, protocolVersion }: Login): Buffer {
  return generate(
    {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion,
      clean: true,
      clientId,
      keepalive: 0,
      username,
      password: Buffer.from(password),
    },
    { protocolVersion },
  );
}

/** Resolves with what comes first; `late` where nothing comes in time. */
async function within<T>(promise: Promise<T>, ms: number, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

async function openSocket({ port, tls = false }: Place): Promise<Socket> {
  const to = { host: '127.0.0.1', port };
  const socket = tls
    ? dialTls({ ...to, servername: 'demo.mqtt.localhost', rejectUnauthorized: false })
    : dialTcp({ ...to, noDelay: true });
  await once(socket, tls ? 'secureConnect' : 'connect');
  return socket;
}

/** A client whose socket is open and who has said nothing yet. Rejects where nobody listens. */
export async function openLightClient(place: Place, { clientId, login }: Device): Promise<LightClient> {
  const socket = await openSocket(place);
  const packet = connectPacket(clientId, login);
  const reading = parser({ protocolVersion: login.protocolVersion });
  let heard: (told: Told) => void = () => undefined;
  let ponged: (alive: boolean) => void = () => undefined;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => reading.parse(chunk));
  reading.on('packet', (received) => {
    if (received.cmd === 'connack') heard(received.reasonCode ?? received.returnCode ?? Number.NaN);
    if (received.cmd === 'pingresp') ponged(true);
  });
  reading.on('error', () => socket.destroy());
  void closed.then(() => {
    heard('closed');
    ponged(false);
  });

  return {
    clientId,
    async connect(withinMs) {
      const answer = new Promise<Told>((resolve) => {
        heard = resolve;
      });
      if (socket.destroyed) heard('closed');
      const beganAt = performance.now();
      // A packet that nobody reads any more is told by the socket's end.
      socket.write(packet, () => undefined);
      // The time is taken before anything else of this process gets its turn.
      const timed = answer.then((told) => ({ clientId, told, tookMs: performance.now() - beganAt }));
      const found = await within(timed, withinMs, { clientId, told: 'silent', tookMs: withinMs });
      if (found.told !== 0) socket.destroy();
      return found;
    },
    async ping(withinMs) {
      if (socket.destroyed) return false;
      const answer = new Promise<boolean>((resolve) => {
        ponged = resolve;
      });
      socket.write(pingreq, () => undefined);
      return within(answer, withinMs, false);
    },
    async leave(withinMs) {
      if (!socket.destroyed) socket.end(disconnect);
      if (
        (await within(
          closed.then(() => 'closed' as const),
          withinMs,
          'late' as const,
        )) === 'late'
      )
        socket.destroy();
    },
  };
}
