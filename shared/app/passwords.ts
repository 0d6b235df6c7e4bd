// MQTT passwords: what a check costs, and who may learn what from it (S6).
//
// Whoever is turned away as `wrong` has cost one scrypt, whether the username is unknown, its password was chosen, or
// its password was generated: a generated one that does not match its SHA-256 goes through a scrypt for nobody, so that
// time tells a stranger nothing. Only a right password is answered sooner (its SHA-256 matches, or it was right moments
// ago), and who knows it has nothing left to learn. So devices with generated passwords also never queue behind a storm
// of guesses. All others wait in a fair queue: `fair-turns.ts`.
//
// n = 2^15, r = 8, p = 1: 32 MB and some 70 ms of one core.

import type { Share } from '../domain/fair-queue.ts';
import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Asker,
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordMaker,
  ScryptCost,
} from '../ports/credentials.ts';
import { createFairTurns, type FairTurnsBounds } from './fair-turns.ts';

export interface PasswordPorts {
  readonly crypto: PasswordCrypto;
  readonly clock: Clock;
}

export interface PasswordBounds extends FairTurnsBounds {
  readonly cost: ScryptCost;
}

const passwordBounds: PasswordBounds = { cost: { n: 2 ** 15, r: 8, p: 1 }, maxRunning: 2, maxWaiting: 1_024 };

const unknownAsker: Asker = { share: { deployment: '', address: '' } };

/** A check that equal ones share. It leaves the queue when the last of their clients has left. */
interface SharedCheck {
  readonly answer: Promise<'right' | 'wrong' | 'overloaded'>;
  readonly allLeft: AbortController;
  clients: number;
}

/** A changed password must hold within 5 s; the credential itself is cached by nobody. */
const rememberMs = 3_000;
const maxRemembered = 10_000;
const saltBytes = 16;
const generatedBytes = 24;

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
  const { crypto } = ports;
  const turns = createFairTurns(bounds);
  const memory = createMemory(ports.clock);
  const underWay = new Map<string, SharedCheck>();
  const nobody = {
    kind: 'scrypt',
    salt: crypto.randomBytes(saltBytes),
    digest: crypto.randomBytes(32),
    ...bounds.cost,
  } as const satisfies PasswordHash;

  async function work(
    credential: Credential | undefined,
    password: Uint8Array,
    { share, left }: Asker,
  ): Promise<'right' | 'wrong' | 'overloaded'> {
    const stored = credential?.hash.kind === 'scrypt' ? credential.hash : nobody;
    const digest = await turns.take(share, left, () => crypto.scrypt(password, stored.salt, stored));
    if (digest === undefined) return 'overloaded';
    return crypto.equal(digest, stored.digest) && stored !== nobody ? 'right' : 'wrong';
  }

  async function check(
    scope: string,
    credential: Credential | undefined,
    password: Uint8Array,
    asker: Asker = unknownAsker,
  ) {
    const stored = credential?.hash ?? nobody;
    const fingerprint = crypto.fingerprint([
      Buffer.from(scope),
      Buffer.from(credential?.username ?? ''),
      stored.digest,
      password,
    ]);
    const generated = crypto.equal(crypto.sha256(password), stored.digest) && stored.kind === 'sha256';
    if (generated || memory.holds(fingerprint)) {
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

  return {
    check,
    async hashChosen(password, deployment = '') {
      const salt = crypto.randomBytes(saltBytes);
      // A share of its own: a flood of CONNECTs of a deployment does not keep its owner from setting passwords.
      const share = { deployment: `API|${deployment}`, address: '' };
      const digest = await turns.take(share, undefined, () => crypto.scrypt(Buffer.from(password), salt, bounds.cost));
      return digest === undefined ? 'overloaded' : { kind: 'scrypt', salt, digest, ...bounds.cost };
    },
    generate() {
      const password = Buffer.from(crypto.randomBytes(generatedBytes)).toString('base64url');
      return { password, hash: { kind: 'sha256', digest: crypto.sha256(Buffer.from(password)) } };
    },
    close: turns.close,
  };
}
