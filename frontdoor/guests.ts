// The sockets of a front door, and what those may use whose clients are not admitted yet (S24): a number in all and by
// source address, bytes in memory, and time. An address sheds only under contention: where the room is full, the newest
// socket of the address with the most goes. The newest, because the oldest is the nearest to its answer, and a room that
// sheds those serves no client of a large fleet; sockets that only sit there end by their deadlines.
import type { Socket } from 'node:net';
import { FairQueue, type Share } from '../shared/domain/fair-queue.ts';
import { networkOf } from '../shared/domain/source-address.ts';

export interface GuestBounds {
  /** Sockets without an admission. */
  readonly maxUnadmitted: number;
  /** The same of one source address. */
  readonly maxUnadmittedOfAddress: number;
  /** What they have sent and is kept, all together. */
  readonly maxUnadmittedBytes: number;
  /**
   * From accept to the first byte, and from the end of a TLS handshake to the first byte of the CONNECT. It holds while
   * more than an eighth of the room is taken: a slow device harms no other client in an empty one.
   */
  readonly firstByteTimeoutMs: number;
  /** From accept to the whole CONNECT, the TLS handshake included (S8). */
  readonly connectTimeoutMs: number;
}

/**
 * A fleet behind one address comes back with thousands of sockets at once. One over TLS takes some 50 KB until it is
 * admitted, so all of them take 0.4 GB.
 */
export const guestBoundsDefault: GuestBounds = {
  maxUnadmitted: 8_192,
  maxUnadmittedOfAddress: 6_144,
  maxUnadmittedBytes: 32 * 1_048_576,
  firstByteTimeoutMs: 4_000,
  connectTimeoutMs: 10_000,
};

export class Guest {
  /** The TLS socket takes the place of the plain one after the handshake. */
  socket: Socket;
  readonly share: Share;
  readonly enteredAt = performance.now();
  keptBytes = 0;
  inRoom = true;
  deadline: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.share = { deployment: '', address: networkOf(socket.remoteAddress) };
  }
}

export class Guests {
  readonly #bounds: GuestBounds;
  readonly #all = new Set<Guest>();
  /** Those that are not admitted. */
  readonly #room: FairQueue<Guest>;
  readonly #keeping = new Set<Guest>();
  #keptBytes = 0;
  #shed = 0;

  constructor(bounds: GuestBounds) {
    this.#bounds = bounds;
    this.#room = new FairQueue({ maxWaiting: bounds.maxUnadmitted, maxOfAddress: bounds.maxUnadmittedOfAddress });
  }

  enter(socket: Socket): Guest {
    const guest = new Guest(socket);
    this.#all.add(guest);
    this.#arm(guest);
    socket.once('close', () => {
      this.noteConnect(guest);
      this.#leaveRoom(guest);
      this.#all.delete(guest);
    });
    const refused = this.#room.enter(guest.share, guest);
    if (refused !== undefined) this.#drop(refused);
    return guest;
  }

  /** The TLS handshake is done. */
  noteSecure(guest: Guest, socket: Socket): void {
    guest.socket = socket;
    this.#arm(guest);
  }

  /** More bytes of a guest are kept in memory. */
  noteKept(guest: Guest, bytes: number): void {
    if (!guest.inRoom) return;
    guest.keptBytes += bytes;
    this.#keptBytes += bytes;
    this.#keeping.add(guest);
    if (this.#keptBytes > this.#bounds.maxUnadmittedBytes) this.#dropLargest();
  }

  /** Its CONNECT is whole: the time for it no longer runs. */
  noteConnect(guest: Guest): void {
    clearTimeout(guest.deadline);
    guest.deadline = undefined;
  }

  noteAdmitted(guest: Guest): void {
    this.#leaveRoom(guest);
  }

  /** All sockets, admitted or not. */
  all(): readonly Guest[] {
    return [...this.#all];
  }

  get admitted(): number {
    return this.#all.size - this.#room.size;
  }

  get unadmitted(): number {
    return this.#room.size;
  }

  /** A socket was closed at accept. */
  noteShed(): void {
    this.#shed++;
  }

  /** How many sockets were closed at accept or for lack of room since it was called last. */
  takeShed(): number {
    const shed = this.#shed;
    this.#shed = 0;
    return shed;
  }

  #arm(guest: Guest): void {
    clearTimeout(guest.deadline);
    const waitMs = Math.max(0, Math.min(this.#bounds.firstByteTimeoutMs, this.#leftMs(guest)));
    // After a busy moment timers fire first; what has arrived meanwhile is read before the check.
    guest.deadline = setTimeout(() => setImmediate(() => this.#check(guest)), waitMs);
  }

  #check(guest: Guest): void {
    if (guest.deadline === undefined) return;
    // `bytesRead` of a TLS socket counts what was decrypted: none of it before the CONNECT begins.
    const isIdle = guest.socket.bytesRead === 0;
    const isCrowded = this.#room.size > this.#bounds.maxUnadmitted / 8;
    if (this.#leftMs(guest) <= 0 || (isIdle && isCrowded)) guest.socket.destroy();
    else this.#arm(guest);
  }

  #leftMs({ enteredAt }: Guest): number {
    return this.#bounds.connectTimeoutMs - (performance.now() - enteredAt);
  }

  /** Of the address that keeps the most, the guest that does. A short CONNECT is never that of a flood of long ones. */
  #dropLargest(): void {
    const ofAddress = new Map<string, number>();
    for (const { share, keptBytes } of this.#keeping)
      ofAddress.set(share.address, (ofAddress.get(share.address) ?? 0) + keptBytes);
    const weigh = (guest: Guest): number => ofAddress.get(guest.share.address) ?? 0;
    let largest: Guest | undefined;
    for (const guest of this.#keeping) {
      const more = largest === undefined ? 1 : weigh(guest) - weigh(largest) || guest.keptBytes - largest.keptBytes;
      if (more > 0) largest = guest;
    }
    if (largest !== undefined) this.#drop(largest);
  }

  #drop(guest: Guest): void {
    this.#shed++;
    this.#leaveRoom(guest);
    this.#all.delete(guest);
    guest.socket.destroy();
  }

  #leaveRoom(guest: Guest): void {
    if (!guest.inRoom) return;
    guest.inRoom = false;
    this.#room.leave(guest.share, guest);
    if (!this.#keeping.delete(guest)) return;
    this.#keptBytes -= guest.keptBytes;
    guest.keptBytes = 0;
  }
}
