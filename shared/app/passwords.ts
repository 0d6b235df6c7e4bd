// MQTT passwords: how they are stored, what a check costs, and what a stranger may learn from it (S6).
//
// Every password, chosen or generated, is stored as scrypt(HMAC-SHA-256(key, password), salt). The key never lies in the
// table, so the table alone gives nothing to guess against; where the key leaks as well, a guess still costs a scrypt
// (docs/adr/0007-passwords-as-keyed-digests.md). An unknown username and a wrong password cost the same work. Only a
// password that was right moments ago is answered sooner, and its sender has nothing left to learn.
//
// n = 2^9, r = 8, p = 1: 512 KB and 1.6 ms of one core (1.75 ms at p90), at most 3 ms also where cores are slower. 512
// checks that wait and 2 at work take less than a second of one core, well inside the 3 s of a CONNECT.

import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordKey,
  PasswordKeys,
  PasswordMaker,
  ScryptCost,
} from '../ports/credentials.ts';

export interface PasswordPorts {
  readonly crypto: PasswordCrypto;
  readonly keys: PasswordKeys;
  readonly clock: Clock;
}

export interface PasswordBounds {
  readonly cost: ScryptCost;
  /** Hashes at work at the same time. */
  readonly maxRunning: number;
  /** Checks that wait for one of them. */
  readonly maxWaiting: number;
}

const passwordBounds: PasswordBounds = { cost: { n: 2 ** 9, r: 8, p: 1 }, maxRunning: 2, maxWaiting: 512 };

/** A changed password must hold within 5 s. Without this memory, 3,000 CONNECT/s of one username would take 4 cores. */
const rememberMs = 3_000;
const maxRemembered = 10_000;
const saltBytes = 16;
const generatedBytes = 24;
const costNames = ['n', 'r', 'p'] as const;

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
  const { crypto, keys } = ports;
  const { cost } = bounds;
  const queued = createQueue(bounds);
  const memory = createMemory(ports.clock);
  const underWay = new Map<string, Promise<'right' | 'wrong' | 'overloaded'>>();
  /** Stands for an unknown username; matches nothing. */
  const absent = { salt: crypto.randomBytes(saltBytes), digest: crypto.randomBytes(32), ...cost };

  const digestOf = ({ secret }: PasswordKey, password: Uint8Array, salt: Uint8Array, at: ScryptCost) =>
    queued(() => crypto.scrypt(crypto.hmac(secret, password), salt, at));

  async function work(
    credential: Credential | undefined,
    password: Uint8Array,
  ): Promise<'right' | 'wrong' | 'overloaded'> {
    const key = await (credential === undefined ? keys.current() : keys.key(credential.hash.keyId));
    const stored = credential?.hash ?? absent;
    const digest = await digestOf(key, password, stored.salt, stored);
    if (digest === undefined) return 'overloaded';
    return crypto.equal(digest, stored.digest) && credential !== undefined ? 'right' : 'wrong';
  }

  async function check(scope: string, credential: Credential | undefined, password: Uint8Array) {
    const fingerprint = crypto.fingerprint([
      Buffer.from(scope),
      Buffer.from(credential?.username ?? ''),
      (credential?.hash ?? absent).digest,
      password,
    ]);
    if (memory.holds(fingerprint)) return 'right';
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

  async function makeHash(password: Uint8Array): Promise<PasswordHash | 'overloaded'> {
    const key = await keys.current();
    const salt = crypto.randomBytes(saltBytes);
    const digest = await digestOf(key, password, salt, cost);
    return digest === undefined ? 'overloaded' : { keyId: key.id, salt, digest, ...cost };
  }

  return {
    check,
    async renew({ hash: { keyId, salt, digest, ...stored } }, password) {
      const isCurrent = keyId === (await keys.current()).id && costNames.every((name) => stored[name] === cost[name]);
      // A fleet that shares one username asks once in a few seconds, not once a client.
      const asked = crypto.fingerprint([Buffer.from('renew'), digest]);
      if (isCurrent || memory.holds(asked)) return undefined;
      memory.keep(asked);
      const made = await makeHash(password);
      return made === 'overloaded' ? undefined : made;
    },
    hash: (password) => makeHash(Buffer.from(password)),
    generate: () => Buffer.from(crypto.randomBytes(generatedBytes)).toString('base64url'),
  };
}
