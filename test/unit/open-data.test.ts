// Whether a process may use the table that it is started with: its format, its keys; and what a rotation looks like to a
// process that has read the keys before.

import { beforeEach, describe, expect, test } from 'vitest';
import { parseKeyring } from '../../shared/adapters/node/keyring.ts';
import { afterOpening, createFormatCheck, createPasswordKeys } from '../../shared/app/common/open-data.ts';
import { dataFormat } from '../../shared/config/constants.ts';
import { ms } from '../../shared/domain/time.ts';
import type { DataFormat, DataFormatStore } from '../../shared/ports/common/data-format.ts';
import { DataRefused, StoreUnavailable } from '../../shared/ports/common/errors.ts';

const [one, two, three] = ['one', 'two', 'three'].map((name) => name.padEnd(43, '.'));
const keyringOf = (fields: object) => parseKeyring(JSON.stringify(fields), 'the secret');
const idOf = (text: string | undefined) => keyringOf({ current: text }).current.id;

let now: number;
let found: DataFormat | undefined;
let secret: object;
let fails: Error | undefined;
let reads: number;
let logged: string[];
/** What a reading of the keys waits for. */
let held: Promise<void> | undefined;

const note = (message: string, fields?: object) => void logged.push(JSON.stringify({ message, ...fields }));
const format: DataFormatStore = {
  tableName: 'sessions',
  readFormat: async () => found,
  async addKey(version, keyId) {
    if (found !== undefined && found.version !== version) return 'refused';
    found = { version, keyIds: [...(found?.keyIds ?? []), keyId] };
    return found;
  },
};
const ports = {
  format,
  clock: { now: () => ms(now) },
  log: { info: note, warn: note, error: note },
  readKeyring: async () => {
    reads++;
    await held;
    if (fails !== undefined) throw fails;
    return keyringOf(secret);
  },
};

beforeEach(() => {
  now = 1_000_000;
  found = undefined;
  secret = { current: one };
  fails = undefined;
  reads = 0;
  logged = [];
  held = undefined;
});

const refusal = (opening: Promise<unknown>) =>
  opening.then(
    () => 'opened',
    (error: unknown) => (error instanceof DataRefused ? error.message : `not refused: ${String(error)}`),
  );

describe('opening', () => {
  test('a new table is given the format and the id of the current key, and asked about once', async () => {
    const keys = createPasswordKeys(ports);
    await keys.open();
    expect(found).toEqual({ version: dataFormat, keyIds: [idOf(one)] });
    await Promise.all([keys.open(), keys.current()]);
    expect(reads).toBe(1);
  });

  test('data of another format are refused: what was found, what is expected, what to do', async () => {
    found = { version: dataFormat + 1, keyIds: [idOf(one)] };
    const sentence =
      'the table sessions holds data of format 2, and this version of Headcount uses format 1: run the version that ' +
      'wrote them, or begin with a new table (locally: another DATA_DIR)';
    expect(await refusal(createPasswordKeys(ports).open())).toBe(sentence);
    expect(await refusal(createFormatCheck(ports).open())).toBe(sentence);
    expect(logged).toHaveLength(2);
    expect(found.keyIds).toEqual([idOf(one)]);
  });

  test('an absent key is refused: which one, where it was looked for, what is there, what to do; and no key is told', async () => {
    found = { version: dataFormat, keyIds: [idOf(two)] };
    const sentence = await refusal(createPasswordKeys(ports).open());
    expect(sentence).toContain(`under the key ${idOf(two)}, and the secret holds only ${idOf(one)}`);
    expect(sentence).toContain('put the key back there from a backup (docs/operate.md, "Keys of MQTT passwords")');
    expect(sentence + logged.join()).not.toContain(String(one));
    expect(found.keyIds).toEqual([idOf(two)]);
  });

  test('of two that open a new table at once with keys of their own the second is refused, and so is each later start', async () => {
    const other = createPasswordKeys({ ...ports, readKeyring: async () => keyringOf({ current: two }) });
    const outcomes = await Promise.all([createPasswordKeys(ports).open(), other.open()].map(refusal));
    // The first one to write met no key but its own.
    expect(outcomes.sort()[0]).toMatch(/^MQTT passwords in the table sessions are stored under the key /);
    expect(outcomes[1]).toBe('opened');
    expect(await refusal(createPasswordKeys(ports).open())).toContain(`under the key ${idOf(two)}`);
  });

  test.each([
    ['{"current":"short"}'],
    ['{}'],
    ['no JSON, but hidden-words'],
    [JSON.stringify({ current: one, previous: 'hidden-words' })],
  ])('%s is no keyring, and the refusal does not quote it', (text) => {
    const parse = () => parseKeyring(text, 'the file f');
    expect(parse).toThrow(DataRefused);
    expect(parse).toThrow(/^the file f holds no keys of MQTT passwords: expected is .* put it back from a backup/);
    expect(parse).not.toThrow(/hidden-words|short/);
  });

  test('what failed is asked again after a second, not at every CONNECT, and a CONNECT is unavailable meanwhile', async () => {
    fails = new Error('Secrets Manager does not answer');
    const keys = createPasswordKeys(ports);
    const connect = afterOpening(keys, async () => ({ kind: 'rejected', reason: 'quota_exceeded', detail: 'asked' }));
    const request = { deploymentId: 'd', username: 'u', password: undefined, clientId: 'c' };
    for (let n = 0; n < 5; n++) expect(await connect(request)).toMatchObject({ reason: 'unavailable' });
    expect([reads, logged.length]).toEqual([1, 1]);
    fails = undefined;
    now += 1_000;
    expect(await connect(request)).toMatchObject({ detail: 'asked' });
    expect(reads).toBe(2);
  });
});

describe('rotation', () => {
  test('a new current key is added to the table before it is used, and the older one still opens', async () => {
    await createPasswordKeys(ports).open();
    secret = { current: two, previous: one };
    const next = createPasswordKeys(ports);
    expect((await next.current()).id).toBe(idOf(two));
    expect(found?.keyIds).toEqual([idOf(one), idOf(two)]);
    expect((await next.key(idOf(one))).id).toBe(idOf(one));
  });

  test('a process that read the keys before reads them again when it meets the new one', async () => {
    const before = createPasswordKeys(ports);
    await before.open();
    secret = { current: two, previous: one };
    await createPasswordKeys(ports).open();
    now += 60_000;
    expect((await before.key(idOf(two))).id).toBe(idOf(two));
    expect((await before.current()).id).toBe(idOf(two));
    expect(reads).toBe(3);
  });

  test('a key that is nowhere is asked for once a second at most, and takes no other password down', async () => {
    const keys = createPasswordKeys(ports);
    await keys.open();
    now += 60_000;
    for (let n = 0; n < 5; n++) expect(await refusal(keys.key(idOf(three)))).toContain(idOf(three));
    expect(reads).toBe(2);
    expect((await keys.current()).id).toBe(idOf(one));
  });

  test('while a process reads the keys again, checks under the keys it has go on, and all that need the new one wait for it', async () => {
    const before = createPasswordKeys(ports);
    await before.open();
    secret = { current: two, previous: one };
    now += 60_000;
    let answer = (): void => undefined;
    held = new Promise((resolve) => {
      answer = resolve;
    });
    const waiting = [before.key(idOf(two)), before.key(idOf(two))];
    expect((await before.key(idOf(one))).id).toBe(idOf(one));
    expect((await before.current()).id).toBe(idOf(one));
    answer();
    expect((await Promise.all(waiting)).map(({ id }) => id)).toEqual([idOf(two), idOf(two)]);
    expect(reads).toBe(2);
  });

  test('where the keys cannot be read again, those that were read go on', async () => {
    const keys = createPasswordKeys(ports);
    await keys.open();
    now += 60_000;
    fails = new StoreUnavailable(new Error('down'));
    await expect(keys.key(idOf(two))).rejects.toBe(fails);
    expect((await keys.current()).id).toBe(idOf(one));
    expect(reads).toBe(2);
  });

  test('a key that was taken away while the table names it stops the processes that notice', async () => {
    const keys = createPasswordKeys(ports);
    await keys.open();
    secret = { current: two };
    now += 60_000;
    expect(await refusal(keys.key(idOf(two)))).toContain(`under the key ${idOf(one)}`);
    expect(await refusal(keys.open())).toContain(`under the key ${idOf(one)}`);
  });
});
