import { createHmac, scryptSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseKeyring } from '../../shared/adapters/node/keyring.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { keysOf } from '../../shared/app/common/open-data.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import type { Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { DataRefused } from '../../shared/ports/common/errors.ts';
import type {
  Credential,
  PasswordCheck,
  PasswordCrypto,
  PasswordHash,
  PasswordKeys,
  PasswordMaker,
} from '../../shared/ports/credentials/credentials.ts';

const cost = { n: 16, r: 8, p: 1 };
const bytes = (text: string) => Buffer.from(text);
const [oldText, newText] = ['the-older-key', 'the-newer-key'].map((name) => name.padEnd(43, '.'));
const keyring = (fields: object) => keysOf(parseKeyring(JSON.stringify(fields), 'the test'));
const oldKeys = keyring({ current: oldText });
const rotatedKeys = keyring({ current: newText, previous: oldText });

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
  passwords = passwordsUnder(oldKeys);
});

const passwordsUnder = (keys: PasswordKeys, of = cost) =>
  createPasswords({ crypto, keys, clock: { now: () => ms(now) } }, { cost: of, maxRunning: 2, maxWaiting: 4 });

const credentialOf = (username: string, hash: PasswordHash): Credential => ({
  username: username as Username,
  hash,
  createdAt: ms(0),
});

async function stored(username: string, password: string, by = passwords): Promise<Credential> {
  const hash = await by.hash(password);
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
  const alice = await stored('alice', 'alice-secret');
  const bob = await stored('bob', 'alice-secret');
  expect(await passwords.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
  expect(await passwords.check('d|alice', alice, bytes('alice-secreT'))).toBe('wrong');
  expect(await passwords.check('d|alice', alice, bytes(''))).toBe('wrong');
  expect(bob.hash.digest).not.toEqual(alice.hash.digest);
  expect(await passwords.check('d|bob', bob, bytes('alice-secret'))).toBe('right');
});

test('what is stored is scrypt of the HMAC under the key that it names, at the cost that it names', async () => {
  const { keyId, salt, digest, ...at } = (await stored('alice', 'alice-secret')).hash;
  expect([keyId, at]).toEqual([(await oldKeys.current()).id, cost]);
  const keyed = createHmac('sha256', String(oldText)).update('alice-secret').digest();
  expect(Buffer.from(digest)).toEqual(scryptSync(keyed, salt, 32, { N: at.n, r: at.r, p: at.p }));
});

test('another key, however it is called, opens nothing', async () => {
  const alice = await stored('alice', 'alice-secret');
  const { id } = await oldKeys.current();
  const { secret } = await keyring({ current: newText }).current();
  const forged = passwordsUnder({ current: async () => ({ id, secret }), key: async () => ({ id, secret }) });
  expect(await forged.check('d|alice', alice, bytes('alice-secret'))).toBe('wrong');
});

test('a password under an absent key is neither right nor wrong', async () => {
  const alice = await stored('alice', 'alice-secret');
  const check = passwordsUnder(keyring({ current: newText })).check('d|alice', alice, bytes('alice-secret'));
  await expect(check).rejects.toBeInstanceOf(DataRefused);
});

test('a generated password has at least 128 random bits, and is stored and checked as a chosen one is', async () => {
  const password = passwords.generate();
  expect(bytes(password).length).toBeGreaterThanOrEqual(22);
  expect(passwords.generate()).not.toBe(password);
  const dev = await stored('dev', password);
  expect(Object.keys(dev.hash)).toEqual(Object.keys((await stored('alice', 'alice-secret')).hash));
  expect(await passwords.check('d|dev', dev, bytes(password))).toBe('right');
  expect(worked).toHaveLength(1);
});

test('the cost of the product is 512 KB and, so that it stays below 3 ms of one core, one pass over them', async () => {
  const product = createPasswords({ crypto, keys: oldKeys, clock: { now: () => ms(now) } });
  const { n, r, p } = (await stored('alice', 'alice-secret', product)).hash;
  expect([128 * n * r, p]).toEqual([512 * 1_024, 1]);
});

test('unknown usernames, wrong passwords and right ones cost the same work', async () => {
  const alice = await stored('alice', 'alice-secret');
  const works: unknown[] = [];
  for (const [credential, password] of [
    [undefined, 'guess'],
    [alice, 'guess'],
    [alice, 'alice-secret'],
  ] as const) {
    worked = [];
    await passwords.check('d|somebody', credential, bytes(password));
    works.push(worked);
  }
  const once = [{ ...cost, saltBytes: 16 }];
  expect(works).toEqual([once, once, once]);
});

test('an unknown username is wrong, even where a digest would match', async () => {
  const clock = { now: () => ms(now) };
  const matching = createPasswords({ crypto: { ...crypto, equal: () => true }, keys: oldKeys, clock });
  expect(await matching.check('d|nobody', undefined, bytes('guess'))).toBe('wrong');
});

describe('many at once', () => {
  test('300 clients of one username with the right password are one check, and all pass', async () => {
    const alice = await stored('alice', 'alice-secret');
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => passwords.check('d|alice', alice, bytes('alice-secret'))),
    );
    expect(new Set(answers)).toEqual(new Set(['right']));
    expect(worked).toHaveLength(1);
  });

  test('an unknown username shares its checks as a known one does', async () => {
    const alice = await stored('alice', 'alice-secret');
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
    const hash = passwords.hash('new', 'd');
    release();
    expect(await hash).toMatchObject(cost);
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
    const closing = passwordsUnder(oldKeys);
    held = [];
    const checks = Array.from({ length: 6 }, (_, n) => closing.check(`d|${n}`, undefined, bytes('guess')));
    await settle();
    closing.close();
    expect(await Promise.all(checks.slice(2))).toEqual(Array(4).fill('overloaded'));
    release();
    expect(await Promise.all(checks.slice(0, 2))).toEqual(['wrong', 'wrong']);
    expect(worked).toHaveLength(2);
  });

  test('a password that was right a moment ago passes beside a storm of guesses', async () => {
    const alice = await stored('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    held = [];
    const storm = Array.from({ length: 6 }, (_, n) => passwords.check(`d|${n}`, undefined, bytes('guess')));
    await settle();
    expect(await passwords.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
    expect(await passwords.check('d|alice', alice, bytes('guess'))).toBe('overloaded');
    release();
    await Promise.all(storm);
  });

  test('a hash that fails gives its place back and is not taken for an answer', async () => {
    const real = crypto.scrypt;
    const broken: PasswordCrypto = { ...crypto, scrypt: () => Promise.reject(new Error('out of memory')) };
    const alice = await stored('alice', 'alice-secret');
    const clock = { now: () => ms(now) };
    const one = createPasswords({ crypto: broken, keys: oldKeys, clock }, { cost, maxRunning: 1, maxWaiting: 0 });
    await expect(one.check('d|alice', alice, bytes('alice-secret'))).rejects.toThrow('out of memory');
    Object.assign(broken, { scrypt: real });
    expect(await one.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
  });
});

describe('memory', () => {
  test('a right password is remembered for 3 s, a wrong one never', async () => {
    const alice = await stored('alice', 'alice-secret');
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
    const alice = await stored('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    const changed = await stored('alice', 'other');
    expect(await passwords.check('d|alice', changed, bytes('alice-secret'))).toBe('wrong');
    expect(await passwords.check('d|alice', undefined, bytes('alice-secret'))).toBe('wrong');
    worked = [];
    await passwords.check('e|alice', alice, bytes('alice-secret'));
    expect(worked).toHaveLength(1);
  });

  test('a clock that steps back does not make it longer', async () => {
    const alice = await stored('alice', 'alice-secret');
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    now -= 60_000;
    await passwords.check('d|alice', alice, bytes('alice-secret'));
    expect(worked).toHaveLength(2);
  });
});

describe('renewal', () => {
  test('a password under an older key is right, and its new hash is under the current one', async () => {
    const alice = await stored('alice', 'alice-secret');
    const rotated = passwordsUnder(rotatedKeys);
    expect(await rotated.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
    const hash = await rotated.renew(alice, bytes('alice-secret'));
    expect(hash?.keyId).toBe((await rotatedKeys.current()).id);
    if (hash === undefined) return;
    expect(await rotated.check('d|alice', { ...alice, hash }, bytes('alice-secret'))).toBe('right');
    expect(await rotated.renew({ ...alice, hash }, bytes('alice-secret'))).toBeUndefined();
  });

  test('one at another cost is replaced as well, one at this key and cost is not', async () => {
    const alice = await stored('alice', 'alice-secret');
    expect(await passwords.renew(alice, bytes('alice-secret'))).toBeUndefined();
    const dearer = passwordsUnder(oldKeys, { ...cost, n: 32 });
    expect(await dearer.check('d|alice', alice, bytes('alice-secret'))).toBe('right');
    expect(await dearer.renew(alice, bytes('alice-secret'))).toMatchObject({ n: 32 });
  });

  test('a fleet that shares a username makes one new hash in 3 s', async () => {
    const alice = await stored('alice', 'alice-secret');
    const rotated = passwordsUnder(rotatedKeys);
    const made = await Promise.all(Array.from({ length: 20 }, () => rotated.renew(alice, bytes('alice-secret'))));
    expect(made.filter((hash) => hash !== undefined)).toHaveLength(1);
    now += 3_000;
    expect(await rotated.renew(alice, bytes('alice-secret'))).toBeDefined();
  });
});
