// The key of MQTT passwords, seen from outside: what the table gives away without it, and what a rotation does to logins.

import { createHash, createHmac, scryptSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseKeyring } from '../../shared/adapters/node/keyring.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { keysOf } from '../../shared/app/common/open-data.ts';
import { putCredential } from '../../shared/app/credentials/credentials.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import type { DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import { allItems } from '../support/all-items.ts';
import { cheapCost, testKeyring, testKeys } from '../support/passwords.ts';
import { until } from '../support/until.ts';
import { type ConnectRig, startConnectRig } from './connect-rig.ts';

const demo = 'demo' as DeploymentId;
const newText = 'the-newer-key'.padEnd(43, '.');
const oldText = Buffer.from(testKeyring.current.secret).toString();
const rotated = keysOf(parseKeyring(JSON.stringify({ current: newText, previous: oldText }), 'the test'));
const onlyNew = keysOf(parseKeyring(JSON.stringify({ current: newText }), 'the test'));

let rig: ConnectRig;
beforeAll(async () => {
  rig = await startConnectRig();
  await rig.addDeployment('demo');
}, 30_000);
afterAll(() => rig.stop());
beforeEach(() => {
  rig.keys = testKeys;
  rig.newProcess();
  rig.queue.length = 0;
  rig.log.length = 0;
  rig.queueFails = false;
  rig.queueAnswers = Promise.resolve();
});

const keyOf = async (username: string) => (await rig.credentials.getCredential(demo, username as Username))?.hash.keyId;
const logIn = async (username: string, password = `${username}-secret`) => {
  const decision = await rig.connect({ username, password: Buffer.from(password), clientId: `${username}-1` });
  return decision.kind === 'admitted' ? 'admitted' : decision.reason;
};
const newKeyId = async () => (await rotated.current()).id;

/** A process that starts after the keys were rotated. */
function rotate(): void {
  rig.keys = rotated;
  rig.newProcess();
}

describe('a rotation', () => {
  test('a login under the older key is let in, and its digest is replaced by the consumer of the queue', async () => {
    await rig.addUser('demo', 'alice', 'alice-secret');
    rotate();
    expect(await logIn('alice')).toBe('admitted');
    await until(() => expect(rig.queue.length).toBeGreaterThan(0));
    expect(await keyOf('alice')).toBe(testKeyring.current.id);
    expect(rig.queue).toHaveLength(1);
    expect(rig.queue[0]).not.toContain('alice-secret');
    expect(rig.queue[0]).not.toContain(Buffer.from('alice-secret').toString('base64'));
    await rig.drain();
    expect(await keyOf('alice')).toBe(await newKeyId());
    // From then on the older key is not needed, and nothing is sent any more.
    rig.keys = onlyNew;
    rig.newProcess();
    expect(await logIn('alice')).toBe('admitted');
    expect(await logIn('alice', 'guess')).toBe('bad_credentials');
    expect(rig.queue).toEqual([]);
    const refused = { message: 'a connect was rejected before its credentials were right', detail: 'bad credentials' };
    expect(rig.log.map((line) => JSON.parse(line))).toEqual([{ ...refused, protocolVersion: 5 }]);
  });

  test('no client waits for the queue', async () => {
    await rig.addUser('demo', 'bob', 'bob-secret');
    rotate();
    let answer = (): void => undefined;
    rig.queueAnswers = new Promise((resolve) => {
      answer = resolve;
    });
    expect(await logIn('bob')).toBe('admitted');
    expect(rig.queue).toEqual([]);
    answer();
    await until(() => expect(rig.queue.length).toBeGreaterThan(0));
  });

  test('a message that is lost with its process is sent by the next login', async () => {
    await rig.addUser('demo', 'carol', 'carol-secret');
    rotate();
    rig.queueFails = true;
    expect(await logIn('carol')).toBe('admitted');
    await until(() => expect(rig.log.length).toBeGreaterThan(0));
    expect(rig.log.join()).toContain('a password stays under its older key until its next login');
    rig.queueFails = false;
    rotate();
    expect(await logIn('carol')).toBe('admitted');
    await until(() => expect(rig.queue.length).toBeGreaterThan(0));
    await rig.drain();
    expect(await keyOf('carol')).toBe(await newKeyId());
  });

  test('a password that was set, or a user that was removed, while the message waited stays that way', async () => {
    for (const username of ['dave', 'erin']) await rig.addUser('demo', username, `${username}-secret`);
    rotate();
    for (const username of ['dave', 'erin']) expect(await logIn(username)).toBe('admitted');
    await until(() => expect(rig.queue).toHaveLength(2));
    await rig.addUser('demo', 'dave', 'changed');
    await rig.credentials.deleteCredential(demo, 'erin' as Username);
    await rig.drain();
    rig.newProcess();
    expect(await logIn('dave')).toBe('bad_credentials');
    expect(await logIn('dave', 'changed')).toBe('admitted');
    expect(await keyOf('erin')).toBeUndefined();
  });

  test('a wrong password has nothing stored, and does one hash as ever', async () => {
    await rig.addUser('demo', 'frank', 'frank-secret');
    rotate();
    rig.watch();
    expect(await logIn('frank', 'guess')).toBe('bad_credentials');
    expect(await logIn('nobody', 'guess')).toBe('bad_credentials');
    expect([rig.hashes, rig.queue]).toEqual([2, []]);
  });
});

test('a dump of the table gives nothing that a guess can be held against without the key', async () => {
  const passwords = createPasswords(
    { crypto: createPasswordCrypto(), keys: testKeys, clock: { now: () => ms(0) } },
    { cost: cheapCost, maxRunning: 1, maxWaiting: 1 },
  );
  const ports = { credentials: rig.credentials, passwords, clock: { now: () => ms(1) } };
  const put = (username: string, password: string | undefined) =>
    putCredential(ports, demo, username as Username, { password }, { actor: 'test', tenantId: 'local' as TenantId });
  await put('grace', 'grace-secret');
  const made = await put('heidi', undefined);
  const guesses = ['grace-secret', made.kind === 'generated' ? made.password : ''].map((text) => Buffer.from(text));

  const items = await allItems(rig);
  const hashes = items.filter(({ pk, sk }) => String(pk).startsWith('P|') && ['grace', 'heidi'].includes(String(sk)));
  expect(hashes).toHaveLength(2);
  expect(new Set(hashes.map((item) => Object.keys(item).sort().join()))).toHaveProperty('size', 1);
  const values = items.flatMap(valuesOf);
  const stored = new Set(values.map((value) => value.toString('base64')));
  const derive = (guess: Buffer, salt: Buffer) =>
    hashes.map(({ n, r, p }) => scryptSync(guess, salt, 32, { N: Number(n), r: Number(r), p: Number(p) }));
  const salts = hashes.map(({ salt }) => Buffer.from(salt as Uint8Array));
  const found: string[] = [];
  for (const guess of guesses) {
    // All that the dump itself could make of a guess: bare, hashed, salted, or keyed with anything that stands in it.
    const made = [guess, createHash('sha256').update(guess).digest()];
    for (const value of values) made.push(createHmac('sha256', value).update(guess).digest());
    const derived = made.flatMap((one) => [one, ...salts.flatMap((salt) => derive(one, salt))]);
    found.push(...derived.map((one) => one.toString('base64')).filter((one) => stored.has(one)));
  }
  expect(found).toEqual([]);
  // With the key it is found, so the search would have seen it.
  const keyed = guesses.map((guess) => createHmac('sha256', oldText).update(guess).digest());
  const withKey = keyed.flatMap((one) => salts.flatMap((salt) => derive(one, salt)));
  expect(withKey.filter((one) => stored.has(one.toString('base64'))).length).toBeGreaterThanOrEqual(2);
});

/** Texts and bytes of an item, those of its sets too. */
function valuesOf(item: Readonly<Record<string, unknown>>): Buffer[] {
  return Object.values(item)
    .flatMap((value) => (value instanceof Set ? [...value] : [value]))
    .flatMap((value) =>
      typeof value === 'string' || value instanceof Uint8Array ? [Buffer.from(value as Uint8Array)] : [],
    );
}
