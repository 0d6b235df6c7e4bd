// The front door: a thin MQTT proxy that gives the exact CONNACK (S5 to S9, S17). It exists because IoT Core lets no
// authorizer choose one, and because it sees what the authorizer event hides: the protocol version, clean start, the
// session's expiry, the broker's CONNACK, DISCONNECT, the socket's end. It must not know of the database or of AWS:
// what it needs comes as functions, and which broker stands behind it is its caller's affair.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { networkOf } from '../shared/domain/source-address.ts';
import { awaitClientHello } from './client-hello.ts';
import { type Guest, type GuestBounds, Guests, guestBoundsDefault } from './guests.ts';
import { type Arrival, type Door, openConnection } from './open-connection.ts';
import { Strangers } from './strangers.ts';

export interface FrontDoorOptions
  extends Omit<Door, 'maxConnectBytes' | 'brokerTimeoutMs' | 'reportRetryDelaysMs'>,
    Partial<Pick<Door, 'maxConnectBytes' | 'brokerTimeoutMs' | 'reportRetryDelaysMs'>>,
    Partial<GuestBounds> {
  /**
   * For TLS. Any string decides alone, also one that names no deployment (S25); undefined leaves the choice to the
   * suffix, and a failure is told as unavailable.
   */
  readonly deploymentOfServerName: (
    serverName: string,
    sourceAddress?: string,
  ) => string | undefined | Promise<string | undefined>;
  /** For TCP, where the user name has no suffix. */
  readonly defaultDeployment?: string;
  /** Which source addresses have to wait while the process is busy. */
  readonly strangers?: Strangers;
}

export interface Address {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface FrontDoor {
  listenTcp(address: Address): Promise<{ readonly port: number }>;
  listenTls(
    address: Address & { readonly key: string | Buffer; readonly cert: string | Buffer },
  ): Promise<{ readonly port: number }>;
  /** Ends every connection and resolves when the end of each has been reported. */
  close(): Promise<void>;
  /**
   * The same without haste: takes nobody new, and ends who is there one by one, evenly over at most this time. They come
   * back elsewhere, and a broker takes only so many CONNECTs a second.
   */
  drain(overMs: number): Promise<void>;
  /** Open sockets of clients that were admitted. */
  connections(): number;
  /** Open sockets of all others. */
  unadmitted(): number;
  /** How many sockets were closed at accept or for lack of room since it was called last. */
  takeShed(): number;
}

/** The longest will payload that MQTT can carry, and as much again for everything else in a CONNECT. */
const maxConnectBytesDefault = 2 * 65_536;

/**
 * Draining waits no longer than this between two clients, in milliseconds: ten that come back a second are no burst for
 * any broker, and a front door with few clients need not take two minutes to go.
 */
const longestPauseMs = 100;

/** A burst of 500 sockets overflows Node's default of 511 waiting connections. */
const backlog = 4_096;

/** A client in its TLS handshake, and the server name of that handshake. */
interface Greeted {
  readonly guest: Guest;
  readonly serverName: string | undefined;
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const door: Door = {
    maxConnectBytes: maxConnectBytesDefault,
    brokerTimeoutMs: 10_000,
    reportRetryDelaysMs: [100, 400, 1_600],
    ...options,
  };
  const bounds: GuestBounds = { ...guestBoundsDefault, ...options };
  const servers: Server[] = [];
  const guests = new Guests(bounds);
  const strangers = options.strangers ?? new Strangers();
  const untold = new Set<Promise<void>>();
  let closing = false;

  /** Undefined where the socket is closed at once. */
  function receive(socket: Socket): Guest | undefined {
    watchErrors(socket);
    // A peer that has no address any more has reset the connection before it was accepted: it has left (S24).
    const hasLeft = socket.remoteAddress === undefined;
    if (closing || hasLeft || strangers.refuses(networkOf(socket.remoteAddress))) {
      guests.noteShed();
      // Nothing was read or written, so nothing is lost by a reset, and it costs the least.
      socket.resetAndDestroy();
      return undefined;
    }
    return guests.enter(socket);
  }

  function noteVerdict(address: string, verdict: 'login' | 'stranger'): void {
    if (verdict === 'login') strangers.noteLogin(address);
    else strangers.noteStranger(address);
  }

  function serve(guest: Guest, deploymentFor: Arrival['deploymentFor']): void {
    const arrival: Arrival = {
      client: guest.socket,
      deploymentFor,
      onKept: (bytes) => guests.noteKept(guest, bytes),
      onConnect: () => guests.noteConnect(guest),
      onAdmitted: () => guests.noteAdmitted(guest),
      onVerdict: (verdict) => noteVerdict(guest.share.address, verdict),
    };
    const told = openConnection(door, arrival).catch((error: unknown) => {
      // A defect of ours costs one connection, never the process with all the others.
      guest.socket.destroy();
      door.log.error('a connection ended by a defect', { error: String(error) });
    });
    untold.add(told);
    void told.then(() => untold.delete(told));
  }

  async function listen(server: Server, { host, port }: Address): Promise<{ readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => door.log.error('a listener of the front door failed', { error: String(error) }));
    servers.push(server);
    const address = server.address();
    return { port: typeof address === 'object' && address !== null ? address.port : port };
  }

  async function close(): Promise<void> {
    closing = true;
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const guest of guests.all()) guest.socket.destroy();
    await Promise.all(closed);
    await Promise.all(untold);
  }

  return {
    listenTcp(address) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        const guest = receive(socket);
        if (guest !== undefined) serve(guest, (suffix) => suffix ?? options.defaultDeployment);
      });
      return listen(server, address);
    },

    listenTls({ host, port, key, cert }) {
      // Node links the socket after the handshake with the plain one by nothing but the peer's address and port.
      const handshaking = new Map<string, Greeted>();
      const tls = createTlsServer({
        key,
        cert,
        allowHalfOpen: true,
        noDelay: true,
        handshakeTimeout: bounds.connectTimeoutMs,
      });
      tls.on('secureConnection', (client: TLSSocket) => {
        const peer = peerOf(client);
        const greeted = handshaking.get(peer);
        watchErrors(client);
        if (greeted === undefined) {
          client.destroy();
          return;
        }
        handshaking.delete(peer);
        const { guest, serverName } = greeted;
        guests.noteSecure(guest, client);
        serve(guest, async (suffix) =>
          serverName === undefined
            ? suffix
            : ((await options.deploymentOfServerName(serverName, client.remoteAddress)) ?? suffix),
        );
      });
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        const peer = peerOf(socket);
        const guest = receive(socket);
        if (guest === undefined) return;
        socket.once('close', () => {
          if (guest.socket === socket) noteVerdict(guest.share.address, 'stranger');
        });
        awaitClientHello(socket, (serverName) => {
          const greeted = { guest, serverName };
          handshaking.set(peer, greeted);
          socket.once('close', () => {
            if (handshaking.get(peer) === greeted) handshaking.delete(peer);
          });
          tls.emit('connection', socket);
        });
      });
      return listen(server, { host, port });
    },

    close,

    async drain(overMs) {
      closing = true;
      for (const server of servers) server.close();
      const leaving = guests.all();
      const everyMs = Math.min(longestPauseMs, overMs / Math.max(1, leaving.length));
      const beganAt = performance.now();
      for (const [place, guest] of leaving.entries()) {
        const restMs = beganAt + (place + 1) * everyMs - performance.now();
        if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
        guest.socket.destroy();
      }
      await close();
    },

    connections: () => guests.admitted,
    unadmitted: () => guests.unadmitted,
    takeShed: () => guests.takeShed(),
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** A TLS socket reports an error in the middle of a stream without being destroyed by it (Node 20), so this does. */
function watchErrors(socket: Socket): void {
  socket.on('error', () => socket.destroy());
}
