// MQTT passwords: how they are stored, what a check costs, and what a stranger may learn from it (S6).
//
// Every password, chosen or generated, is stored as scrypt(HMAC-SHA-256(key, password), salt). The key never lies in the
// table, so the table alone gives nothing to guess against; where the key leaks as well, a guess still costs a scrypt
// (docs/adr/0007-passwords-as-keyed-digests.md). An unknown username and a wrong password cost the same work. Only a
// password that was right moments ago is answered sooner, and its sender has nothing left to learn.
//
// n = 2^9, r = 8, p = 1: 512 KB and 1.6 ms of one core (1.75 ms at p90), at most 3 ms also where cores are slower. 512
// checks that wait and 2 at work take less than a second of one core, well inside the 3 s of a CONNECT. Checks wait in a
// fair queue: `fair-turns.ts`.

import type { Share } from '../../domain/fair-queue.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type {
  Asker,
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordKey,
  PasswordKeys,
  PasswordMaker,
  ScryptCost,
} from '../../ports/credentials/credentials.ts';
import { createFairTurns, type FairTurnsBounds } from '../admission/fair-turns.ts';

export interface PasswordPorts {
  readonly crypto: PasswordCrypto;
  readonly keys: PasswordKeys;
  readonly clock: Clock;
}

export interface PasswordBounds extends FairTurnsBounds {
  readonly cost: ScryptCost;
}

const passwordBounds: PasswordBounds = { cost: { n: 2 ** 9, r: 8, p: 1 }, maxRunning: 2, maxWaiting: 512 };

const unknownAsker: Asker = { share: { deployment: '', address: '' } };

/** A share of its own: a flood of CONNECTs of a deployment does not keep its owner from setting passwords. */
const apiAsker = (deployment: string): Asker => ({ share: { deployment: `API|${deployment}`, address: '' } });

/** A check that equal ones share. It leaves the queue when the last of their clients has left. */
interface SharedCheck {
  readonly answer: Promise<'right' | 'wrong' | 'overloaded'>;
  readonly allLeft: AbortController;
  clients: number;
}

/** A changed password must hold within 5 s. Without this memory, 3,000 CONNECT/s of one username would take 4 cores. */
const rememberMs = 3_000;
const maxRemembered = 10_000;
const saltBytes = 16;
const generatedBytes = 24;
const costNames = ['n', 'r', 'p'] as const;

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
): PasswordCheck & PasswordMaker & { close(): void } {
  const { crypto, keys } = ports;
  const { cost } = bounds;
  const turns = createFairTurns(bounds);
  const memory = createMemory(ports.clock);
  const underWay = new Map<string, SharedCheck>();
  /** Stands for an unknown username; matches nothing. */
  const absent = { salt: crypto.randomBytes(saltBytes), digest: crypto.randomBytes(32), ...cost };

  const digestOf = (
    { share, left }: Asker,
    { secret }: PasswordKey,
    password: Uint8Array,
    salt: Uint8Array,
    at: ScryptCost,
  ) => turns.take(share, left, () => crypto.scrypt(crypto.hmac(secret, password), salt, at));

  async function work(
    credential: Credential | undefined,
    password: Uint8Array,
    asker: Asker,
  ): Promise<'right' | 'wrong' | 'overloaded'> {
    const key = await (credential === undefined ? keys.current() : keys.key(credential.hash.keyId));
    const stored = credential?.hash ?? absent;
    const digest = await digestOf(asker, key, password, stored.salt, stored);
    if (digest === undefined) return 'overloaded';
    return crypto.equal(digest, stored.digest) && credential !== undefined ? 'right' : 'wrong';
  }

  async function check(
    scope: string,
    credential: Credential | undefined,
    password: Uint8Array,
    asker: Asker = unknownAsker,
  ) {
    const fingerprint = crypto.fingerprint([
      Buffer.from(scope),
      Buffer.from(credential?.username ?? ''),
      (credential?.hash ?? absent).digest,
      password,
    ]);
    if (memory.holds(fingerprint)) {
      turns.note(asker.share, 'right');
      return 'right';
    }
    if (asker.left?.aborted === true) return 'overloaded';
    // A fleet that shares one password and comes back at once is one check.
    const shared = underWay.get(fingerprint) ?? begin(fingerprint, credential, password, asker.share);
    shared.clients++;
    const leave = (): void => {
      shared.clients--;
      if (shared.clients > 0) return;
      // Clients that come from now on must not share a check that nothing waits for.
      if (underWay.get(fingerprint) === shared) underWay.delete(fingerprint);
      shared.allLeft.abort();
    };
    asker.left?.addEventListener('abort', leave);
    try {
      const outcome = await shared.answer;
      if (outcome !== 'overloaded') turns.note(asker.share, outcome);
      return outcome;
    } finally {
      asker.left?.removeEventListener('abort', leave);
    }
  }

  function begin(
    fingerprint: string,
    credential: Credential | undefined,
    password: Uint8Array,
    share: Share,
  ): SharedCheck {
    const allLeft = new AbortController();
    const answer = work(credential, password, { share, left: allLeft.signal }).then((outcome) => {
      if (outcome === 'right') memory.keep(fingerprint);
      return outcome;
    });
    const shared: SharedCheck = { answer, allLeft, clients: 0 };
    const forget = (): void => {
      if (underWay.get(fingerprint) === shared) underWay.delete(fingerprint);
    };
    answer.then(forget, forget);
    underWay.set(fingerprint, shared);
    return shared;
  }

  async function makeHash(asker: Asker, password: Uint8Array): Promise<PasswordHash | 'overloaded'> {
    const key = await keys.current();
    const salt = crypto.randomBytes(saltBytes);
    const digest = await digestOf(asker, key, password, salt, cost);
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
      const made = await makeHash(apiAsker(''), password);
      return made === 'overloaded' ? undefined : made;
    },
    hash: (password, deployment = '') => makeHash(apiAsker(deployment), Buffer.from(password)),
    generate: () => Buffer.from(crypto.randomBytes(generatedBytes)).toString('base64url'),
    close: turns.close,
  };
}
