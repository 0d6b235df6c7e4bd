// Source addresses whose sockets bring no login: while the process is busy, each of them gets a few sockets a second, and
// the rest is closed at accept, before it costs a handshake, a reading or a password check (S24). A login restores the
// address at once, since fleets sit behind one NAT; in a process with time to spare nothing is closed. It must not know
// what a login is: its caller says.

export interface StrangerBounds {
  /** Sockets without a login, since the last login of their address, that cost it nothing. */
  readonly free: number;
  /** Sockets a second beyond them, while the process is busy. */
  readonly perSecond: number;
  /** An address is forgotten this long after its last socket without a login, in milliseconds. */
  readonly forgetMs: number;
}

const usualBounds: StrangerBounds = { free: 64, perSecond: 20, forgetMs: 60_000 };

/** Addresses that are remembered; beyond them the one that was quiet longest is forgotten. */
const addressesMax = 10_000;

interface Stranger {
  /** Sockets without a login since the last login. */
  readonly sockets: number;
  readonly lastAt: number;
  /** Sockets that it may open now, filled by time. */
  tokens: number;
  filledAt: number;
}

export class Strangers {
  readonly #byAddress = new Map<string, Stranger>();
  readonly #bounds: StrangerBounds;
  readonly #isBusy: () => boolean;
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that never steps back. */
  constructor(isBusy: () => boolean = createBusyness(), bounds = usualBounds, now = () => performance.now()) {
    this.#isBusy = isBusy;
    this.#bounds = bounds;
    this.#now = now;
  }

  /** Whether a new socket of the address is to be closed. An unknown address is never held against its clients. */
  refuses(address: string): boolean {
    // Asked each time: it measures from one call to the next.
    const isBusy = this.#isBusy();
    const now = this.#now();
    const stranger = this.#find(address, now);
    if (!isBusy || stranger === undefined || stranger.sockets < this.#bounds.free) return false;
    const gained = ((now - stranger.filledAt) * this.#bounds.perSecond) / 1_000;
    stranger.tokens = Math.min(this.#bounds.perSecond, stranger.tokens + gained);
    stranger.filledAt = now;
    if (stranger.tokens < 1) return true;
    stranger.tokens -= 1;
    return false;
  }

  /** A socket of the address ended without a login: a wrong password, nothing that is MQTT, or a client that left. */
  noteStranger(address: string): void {
    if (address === '') return;
    const now = this.#now();
    const before = this.#find(address, now) ?? { sockets: 0, tokens: this.#bounds.perSecond, filledAt: now };
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { ...before, sockets: before.sockets + 1, lastAt: now });
    const [quietest] = this.#byAddress.keys();
    if (this.#byAddress.size > addressesMax && quietest !== undefined) this.#byAddress.delete(quietest);
  }

  /** A client of the address has proven who it is. */
  noteLogin(address: string): void {
    this.#byAddress.delete(address);
  }

  /** Undefined where it is forgotten by now. */
  #find(address: string, now: number): Stranger | undefined {
    const known = this.#byAddress.get(address);
    return known === undefined || now - known.lastAt > this.#bounds.forgetMs ? undefined : known;
  }
}

const sampleMs = 50;
const busyFrom = 0.7;

/** Whether the event loop was at work for most of the last sample: then sockets wait to be accepted. */
function createBusyness(): () => boolean {
  let since = performance.eventLoopUtilization();
  let sampledAt = performance.now();
  let isBusy = false;
  return () => {
    const now = performance.now();
    if (now - sampledAt < sampleMs) return isBusy;
    isBusy = performance.eventLoopUtilization(since).utilization > busyFrom;
    since = performance.eventLoopUtilization();
    sampledAt = now;
    return isBusy;
  };
}
