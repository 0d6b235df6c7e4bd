// MQTT passwords: what a check costs, and who may learn what from it (S6).
//
// Whoever is turned away as `wrong` has cost one scrypt, whether the username is unknown, its password was chosen, or
// its password was generated: a generated one that does not match its SHA-256 goes through a scrypt for nobody, so that
// time tells a stranger nothing. Only a right password is answered sooner (its SHA-256 matches, or it was right moments
// ago), and who knows it has nothing left to learn. So devices with generated passwords also never queue behind a storm
// of guesses.
//
// n = 2^15, r = 8, p = 1: 32 MB and some 70 ms of one core. 64 that wait and 2 at work end well inside the 3 s of a
// CONNECT; twice the cost would not.

import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordMaker,
  ScryptCost,
} from '../ports/credentials.ts';

export interface PasswordPorts {
  readonly crypto: PasswordCrypto;
  readonly clock: Clock;
}

export interface PasswordBounds {
  readonly cost: ScryptCost;
  /** Hashes at work at the same time. */
  readonly maxRunning: number;
  /** Checks that wait for one of them. */
  readonly maxWaiting: number;
}

const passwordBounds: PasswordBounds = { cost: { n: 2 ** 15, r: 8, p: 1 }, maxRunning: 2, maxWaiting: 64 };

/** A changed password must hold within 5 s; the credential itself is cached by nobody. */
const rememberMs = 3_000;
const maxRemembered = 10_000;
const saltBytes = 16;
const generatedBytes = 24;

/** Runs at most so many at a time, in order of arrival; undefined where too many wait. */
function createQueue({ maxRunning, maxWaiting }: PasswordBounds) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (running < maxRunning) running += 1;
    else if (waiting.length < maxWaiting) await new Promise<void>((start) => waiting.push(start));
    else return undefined;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place goes to the next in line without ever being free, so that no newcomer jumps in between.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** What was right a moment ago, by its fingerprint: neither password nor digest can be read back from it. */
function createMemory(clock: Clock) {
  const rightAt = new Map<string, Ms>();
  return {
    holds(fingerprint: string): boolean {
      const at = rightAt.get(fingerprint);
      if (at === undefined) return false;
      const age = clock.now() - at;
      // A clock that stepped back makes an entry look young; it is checked again.
      if (age >= 0 && age < rememberMs) return true;
      rightAt.delete(fingerprint);
      return false;
    },
    keep(fingerprint: string): void {
      rightAt.delete(fingerprint);
      rightAt.set(fingerprint, clock.now());
      const [oldest] = rightAt.keys();
      if (rightAt.size > maxRemembered && oldest !== undefined) rightAt.delete(oldest);
    },
  };
}

export function createPasswords(
  ports: PasswordPorts,
  bounds: PasswordBounds = passwordBounds,
): PasswordCheck & PasswordMaker {
  const { crypto } = ports;
  const queued = createQueue(bounds);
  const memory = createMemory(ports.clock);
  const underWay = new Map<string, Promise<'right' | 'wrong' | 'overloaded'>>();
  const nobody = {
    kind: 'scrypt',
    salt: crypto.randomBytes(saltBytes),
    digest: crypto.randomBytes(32),
    ...bounds.cost,
  } as const satisfies PasswordHash;

  async function work(
    credential: Credential | undefined,
    password: Uint8Array,
  ): Promise<'right' | 'wrong' | 'overloaded'> {
    const stored = credential?.hash.kind === 'scrypt' ? credential.hash : nobody;
    const digest = await queued(() => crypto.scrypt(password, stored.salt, stored));
    if (digest === undefined) return 'overloaded';
    return crypto.equal(digest, stored.digest) && stored !== nobody ? 'right' : 'wrong';
  }

  async function check(scope: string, credential: Credential | undefined, password: Uint8Array) {
    const stored = credential?.hash ?? nobody;
    const fingerprint = crypto.fingerprint([
      Buffer.from(scope),
      Buffer.from(credential?.username ?? ''),
      stored.digest,
      password,
    ]);
    const generated = crypto.equal(crypto.sha256(password), stored.digest) && stored.kind === 'sha256';
    if (generated || memory.holds(fingerprint)) return 'right';
    // A fleet that shares one password and comes back at once is one check.
    const shared = underWay.get(fingerprint);
    if (shared !== undefined) return shared;
    const answer = work(credential, password);
    underWay.set(fingerprint, answer);
    try {
      const outcome = await answer;
      if (outcome === 'right') memory.keep(fingerprint);
      return outcome;
    } finally {
      underWay.delete(fingerprint);
    }
  }

  return {
    check,
    async hashChosen(password) {
      const salt = crypto.randomBytes(saltBytes);
      const digest = await queued(() => crypto.scrypt(Buffer.from(password), salt, bounds.cost));
      return digest === undefined ? 'overloaded' : { kind: 'scrypt', salt, digest, ...bounds.cost };
    },
    generate() {
      const password = Buffer.from(crypto.randomBytes(generatedBytes)).toString('base64url');
      return { password, hash: { kind: 'sha256', digest: crypto.sha256(Buffer.from(password)) } };
    },
  };
}
