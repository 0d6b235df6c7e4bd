import { beforeEach, describe, expect, test } from 'vitest';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { createPasswords } from '../../shared/app/passwords.ts';
import type { Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type {
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordMaker,
} from '../../shared/ports/credentials.ts';

const cost = { n: 16, r: 8, p: 1 };
const bytes = (text: string) => Buffer.from(text);

let now: number;
/** What each scrypt was run with. */
let worked: { n: number; r: number; p: number; saltBytes: number }[];
/** Scrypts that have started and not ended wait here while it is there. */
let held: (() => void)[] | undefined;
let crypto: PasswordCrypto;
let passwords: PasswordCheck & PasswordMaker;

beforeEach(() => {
  now = 1_000_000;
  worked = [];
  held = undefined;
  const real = createPasswordCrypto();
  crypto = {
    ...real,
    scrypt: async (password, salt, of) => {
      worked.push({ n: of.n, r: of.r, p: of.p, saltBytes: salt.length });
      if (held !== undefined) await new Promise<void>((resume) => held?.push(resume));
      return real.scrypt(password, salt, of);
    },
  };
  passwords = createPasswords({ crypto, clock: { now: () => ms(now) } }, { cost, maxRunning: 2, maxWaiting: 4 });
});

const credentialOf = (username: string, hash: PasswordHash): Credential => ({
  username: username as Username,
  hash,
  createdAt: ms(0),
});

async function chosen(username: string, password: string): Promise<Credential> {
  const hash = await passwords.hashChosen(password);
  if (hash === 'overloaded') throw new Error('nothing else is hashed here');
  worked = [];
  return credentialOf(username, hash);
}

/** Lets every promise that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Lets those go that are held, and holds nobody from here on. */
function release(): void {
  const waiting = held ?? [];
  held = undefined;
  for (const resume of waiting) resume();
}

test('a chosen password is right, another one wrong, also another username with the same password', async () => {
  const alice = await chosen('alice', 'alice-secret');
  const bob = await chosen('bob', 'alice-secret');
  expect(await passwords.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
  expect(await passwords.check('d|alice', alice, bytes('alice-secreT'))).toBe('wrong');
  expect(await passwords.check('d|alice', alice, bytes(''))).toBe('wrong');
  expect(bob.hash.digest).not.toEqual(alice.hash.digest);
  expect(await passwords.check('d|bob', bob, bytes('alice-secret'))).toBe('right');
});

test('a generated password has at least 128 random bits, is right, and costs no scrypt', async () => {
  const { password, hash } = passwords.generate();
  expect(bytes(password).length).toBeGreaterThanOrEqual(22);
  expect(passwords.generate().password).not.toBe(password);
  expect(await passwords.check('d|dev', credentialOf('dev', hash), bytes(password))).toBe('right');
  expect(worked).toEqual([]);
});

test('whoever is wrong costs the same work: unknown, chosen, generated', async () => {
  const guessed = bytes('guess');
  const alice = await chosen('alice', 'alice-secret');
  const works: unknown[] = [];
  for (const credential of [undefined, alice, credentialOf('dev', passwords.generate().hash)]) {
    worked = [];
    expect(await passwords.check('d|somebody', credential, guessed)).toBe('wrong');
    works.push(worked);
  }
  const once = [{ ...cost, saltBytes: 16 }];
  expect(works).toEqual([once, once, once]);
});

test('who is unknown is wrong, even where a digest would match', async () => {
  const clock = { now: () => ms(now) };
  const matching = createPasswords({ crypto: { ...crypto, equal: () => true }, clock });
  expect(await matching.check('d|nobody', undefined, bytes('guess'))).toBe('wrong');
});

describe('many at once', () => {
  test('300 clients of one username with the right password are one check, and all pass', async () => {
    const alice = await chosen('alice', 'alice-secret');
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => passwords.check('d|alice', alice, bytes('alice-secret'))),
    );
    expect(new Set(answers)).toEqual(new Set(['right']));
    expect(worked).toHaveLength(1);
  });

  test('an unknown username shares its checks as a known one does', async () => {
    const alice = await chosen('alice', 'alice-secret');
    const guesses = (scope: string, credential: Credential | undefined) =>
      Promise.all(Array.from({ length: 5 }, () => passwords.check(scope, credential, bytes('guess'))));
    await guesses('d|alice', alice);
    expect(worked).toHaveLength(1);
    await guesses('d|nobody', undefined);
    expect(worked).toHaveLength(2);
    // Not across usernames: what is known is not shared there either.
    await Promise.all(['u', 'v', 'w'].map((one) => passwords.check(`d|${one}`, undefined, bytes('guess'))));
    expect(worked).toHaveLength(5);
  });

  test('two work, four wait, the next is told so, and those that wait get their turn', async () => {
    held = [];
    const checks = Array.from({ length: 6 }, (_, n) => passwords.check(`d|${n}`, undefined, bytes('guess')));
    await settle();
    expect(worked).toHaveLength(2);
    expect(await passwords.check('d|6', undefined, bytes('guess'))).toBe('overloaded');
    release();
    expect(await Promise.all(checks)).toEqual(Array(6).fill('wrong'));
    expect(await passwords.check('d|6', undefined, bytes('guess'))).toBe('wrong');
  });

  test('checks do not keep the owner of a deployment from setting a password: the newest check makes room', async () => {
    held = [];
    const checks = Array.from({ length: 6 }, (_, n) => passwords.check(`d|${n}`, undefined, bytes('guess')));
    await settle();
    const hash = passwords.hashChosen('new', 'd');
    release();
    expect(await hash).toMatchObject({ kind: 'scrypt' });
    expect(await Promise.all(checks)).toEqual([...Array(5).fill('wrong'), 'overloaded']);
  });

  test('a check is never begun for a client that has left, and goes on while one that shares it stays', async () => {
    held = [];
    const share = { deployment: 'd', address: '' };
    const busy = [0, 1].map((n) => passwords.check(`d|${n}`, undefined, bytes('guess')));
    const [one, another, alone] = [new AbortController(), new AbortController(), new AbortController()];
    const check = (name: string, { signal: left }: AbortController) =>
      passwords.check(name, undefined, bytes('guess'), { share, left });
    const shared = [check('d|shared', one), check('d|shared', another)];
    const gone = check('d|alone', alone);
    one.abort();
    alone.abort();
    expect(await gone).toBe('overloaded');
    expect(await check('d|alone', alone)).toBe('overloaded');
    expect(worked).toHaveLength(2);
    release();
    expect(await Promise.all([...busy, ...shared])).toEqual(Array(4).fill('wrong'));
    expect(worked).toHaveLength(3);
  });

  test('once closed, what waits is refused without being hashed', async () => {
    const closing = createPasswords({ crypto, clock: { now: () => ms(now) } }, { cost, maxRunning: 2, maxWaiting: 4 });
    held = [];
    const checks = Array.from({ length: 6 }, (_, n) => closing.check(`d|${n}`, undefined, bytes('guess')));
    closing.close();
    expect(await Promise.all(checks.slice(2))).toEqual(Array(4).fill('overloaded'));
    release();
    expect(await Promise.all(checks.slice(0, 2))).toEqual(['wrong', 'wrong']);
    expect(worked).toHaveLength(2);
  });

  test('a right generated password, and one that was right a moment ago, pass beside a storm of guesses', async () => {
    const alice = await chosen('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    held = [];
    const storm = Array.from({ length: 6 }, (_, n) => passwords.check(`d|${n}`, undefined, bytes('guess')));
    await settle();
    const { password, hash } = passwords.generate();
    expect(await passwords.check('d|dev', credentialOf('dev', hash), bytes(password))).toBe('right');
    expect(await passwords.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
    expect(await passwords.check('d|dev', credentialOf('dev', hash), bytes('guess'))).toBe('overloaded');
    release();
    await Promise.all(storm);
  });

  test('a hash that fails gives its place back and is not taken for an answer', async () => {
    const real = crypto.scrypt;
    const broken: PasswordCrypto = { ...crypto, scrypt: () => Promise.reject(new Error('out of memory')) };
    const alice = await chosen('alice', 'alice-secret');
    const clock = { now: () => ms(now) };
    const one = createPasswords({ crypto: broken, clock }, { cost, maxRunning: 1, maxWaiting: 0 });
    await expect(one.check('d|alice', alice, bytes('alice-secret'))).rejects.toThrow('out of memory');
    Object.assign(broken, { scrypt: real });
    expect(await one.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
  });
});

describe('memory', () => {
  test('a right password is remembered for 3 s, a wrong one never', async () => {
    const alice = await chosen('alice', 'alice-secret');
    const check = (password: string) => passwords.check('d|alice', alice, bytes(password));
    await check('alice-secret');
    now += 2_999;
    expect(await check('alice-secret')).toBe('right');
    expect(worked).toHaveLength(1);
    now += 1;
    expect(await check('alice-secret')).toBe('right');
    expect(worked).toHaveLength(2);
    await check('guess');
    await check('guess');
    expect(worked).toHaveLength(4);
  });

  test('it holds for that scope and that stored password only', async () => {
    const alice = await chosen('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    const changed = await chosen('alice', 'other');
    expect(await passwords.check('d|alice', changed, bytes('alice-secret'))).toBe('wrong');
    expect(await passwords.check('d|alice', undefined, bytes('alice-secret'))).toBe('wrong');
    worked = [];
    await passwords.check('e|alice', alice, bytes('alice-secret'));
    expect(worked).toHaveLength(1);
  });

  test('a clock that steps back does not make it longer', async () => {
    const alice = await chosen('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    now -= 60_000;
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    expect(worked).toHaveLength(2);
  });
});
