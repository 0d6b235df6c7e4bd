import { expect, test } from 'vitest';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Credential, CredentialStore } from '../../shared/ports/credentials/credentials.ts';
import { allItems } from '../support/all-items.ts';
import type { TestTable } from '../support/engine.ts';
import { someHash } from '../support/passwords.ts';
import { tableForAllTests } from '../support/tables.ts';

const one = 'one' as DeploymentId;
const other = 'other' as DeploymentId;
const name = (raw: string) => raw as Username;

const first = { ...someHash, salt: new Uint8Array([1, 2]), digest: new Uint8Array([3, 4]) };
const second = { ...first, keyId: 'another-key', digest: new Uint8Array([5, 6]), n: 32 };

const credentialOf = (username: string, hash: Credential['hash'], createdAt = 1): Credential => ({
  username: name(username),
  hash,
  createdAt: ms(createdAt),
});

let store: CredentialStore;
let table: TestTable;

tableForAllTests((created) => {
  table = created;
  store = createCredentialStore(table.client, table.tableName);
});

/** The engine's bytes come back as a Buffer; what counts is what is in them. */
function plain(credential: Credential | undefined) {
  return JSON.parse(
    JSON.stringify(credential ?? null, (_, value) => (ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value)),
  );
}

test('a credential is read back as it was put', async () => {
  const credential = credentialOf('chosen', first);
  await store.putCredential(one, credential);
  expect(plain(await store.getCredential(one, credential.username))).toEqual(plain(credential));
});

test('a renewed hash replaces the digest that was seen, whole, once, and leaves no audit record', async () => {
  const names = { deploymentId: one, username: name('grace') };
  await store.putCredential(one, credentialOf('grace', first));
  const audits = async () => (await allItems(table)).filter(({ action }) => action !== undefined).length;
  const before = await audits();
  const renewal = { ...names, seen: first.digest, hash: second };
  expect(await store.renewHash(renewal)).toBe('done');
  expect(await store.renewHash(renewal)).toBe('changed');
  expect(plain(await store.getCredential(one, name('grace')))).toEqual(plain(credentialOf('grace', second)));
  expect(await audits()).toBe(before);
});

test('a renewed hash never replaces a password that was set meanwhile, and never makes a user', async () => {
  const renewal = { deploymentId: one, username: name('heidi'), seen: first.digest, hash: { ...second, n: 64 } };
  expect(await store.renewHash(renewal)).toBe('changed');
  expect(await store.getCredential(one, name('heidi'))).toBeUndefined();
  await store.putCredential(one, credentialOf('heidi', second));
  expect(await store.renewHash(renewal)).toBe('changed');
  expect(plain(await store.getCredential(one, name('heidi')))).toEqual(plain(credentialOf('heidi', second)));
});

test('a new password replaces the old one whole and keeps when the user was created', async () => {
  await store.putCredential(one, credentialOf('carol', first, 1));
  await store.putCredential(one, credentialOf('carol', second, 2));
  expect(plain(await store.getCredential(one, name('carol')))).toEqual(plain(credentialOf('carol', second, 1)));
});

test('credentials of one deployment say nothing of another', async () => {
  await store.putCredential(one, credentialOf('dave', second));
  expect(await store.getCredential(other, name('dave'))).toBeUndefined();
  expect(await store.deleteCredential(other, name('dave'))).toBe('missing');
  expect(await store.getCredential(one, name('dave'))).toBeDefined();
});

test('a deleted one is gone, and gone once', async () => {
  await store.putCredential(one, credentialOf('erin', second));
  expect(await store.deleteCredential(one, name('erin'))).toBe('deleted');
  expect(await store.getCredential(one, name('erin'))).toBeUndefined();
  expect(await store.deleteCredential(one, name('erin'))).toBe('missing');
});

test('a change that says whose it is does the same, with its record', async () => {
  const change = { actor: 'somebody', at: ms(7) };
  await store.putCredential(one, credentialOf('frank', first, 1), change);
  await store.putCredential(one, credentialOf('frank', second, 2), change);
  expect(plain(await store.getCredential(one, name('frank')))).toEqual(plain(credentialOf('frank', second, 1)));
  expect(await store.deleteCredential(one, name('frank'), change)).toBe('deleted');
  expect(await store.deleteCredential(one, name('frank'), change)).toBe('missing');
  const records = (await allItems(table)).filter(({ actor }) => actor === 'somebody');
  const actions = records.map(({ action, before, after }) => [action, before, after]);
  expect(actions).toHaveLength(3);
  expect(actions).toEqual(
    expect.arrayContaining([
      ['credential.added', null, { username: 'frank' }],
      ['credential.password_set', { username: 'frank' }, { username: 'frank' }],
      ['credential.removed', { username: 'frank' }, null],
    ]),
  );
});

test('lists go in the order of UTF-8, in pages that skip and repeat none', async () => {
  const listed = 'listed' as DeploymentId;
  // U+FF5E comes before U+1F600 in UTF-8 and after it in UTF-16.
  const names = [...Array.from({ length: 40 }, (_, n) => `user-${String(n).padStart(2, '0')}`), '\uFF5E', '\u{1F600}'];
  for (const username of [...names].reverse()) await store.putCredential(listed, credentialOf(username, second));
  const seen: string[] = [];
  for (let after: Username | undefined; ; ) {
    const page = await store.listCredentials(listed, { limit: 9, ...(after === undefined ? {} : { after }) });
    seen.push(...page.map((credential) => credential.username));
    after = page.at(-1)?.username;
    if (after === undefined) break;
  }
  expect(seen).toEqual(names);
});

test('a list, and whether a user is there, show nothing of passwords', async () => {
  const shown = 'shown' as DeploymentId;
  expect(await store.hasCredential(shown, name('alice'))).toBe(false);
  await store.putCredential(shown, credentialOf('alice', second));
  expect(await store.hasCredential(shown, name('alice'))).toBe(true);
  expect(await store.hasCredential(shown, name('alic'))).toBe(false);
  const { username, createdAt } = credentialOf('alice', second);
  expect(await store.listCredentials(shown, { limit: 9 })).toEqual([{ username, createdAt }]);
});

test('a deployment has no more users than it may, also where the last places are taken at once', async () => {
  const few = createCredentialStore(table.client, table.tableName, 3);
  const full = 'full' as DeploymentId;
  const change = { actor: 'somebody', at: ms(7) };
  const put = (username: string) => few.putCredential(full, credentialOf(username, second), change);
  const at = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(put));
  expect(at.filter((outcome) => outcome === 'set')).toHaveLength(3);
  expect(at.filter((outcome) => outcome === 'full')).toHaveLength(2);
  const [first] = await few.listCredentials(full, { limit: 9 });
  if (first === undefined) throw new Error('there are three');
  // A new password is no new user, and what is removed makes room.
  expect(await put(first.username)).toBe('set');
  expect(await put('f')).toBe('full');
  expect(await few.deleteCredential(full, first.username, change)).toBe('deleted');
  expect(await few.deleteCredential(full, first.username, change)).toBe('missing');
  expect(await put('f')).toBe('set');
  expect(await put('g')).toBe('full');
});
