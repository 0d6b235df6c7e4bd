// Reads of single items that a process asks for at the same moment, in one request. Nobody gets an answer to a request that
// was sent before it asked. It exists because a request costs the processor more than the item in it. An item that a
// partition does not give at this moment holds up nobody but those who asked for it.

import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { answering } from './answering.ts';
import { type BackOff, backOffAtRandom } from './back-off.ts';
import { BatchGetCommand, GetCommand } from './commands.ts';
import { isThrottled } from './conditions.ts';
import type { Key } from './keys.ts';

/** Items of one request. An answer holds 16 MB at most, and an item 400 KB. */
const keysAtOnce = 25;
/** With so many requests under way, a new one is sent when one of them is answered, or when 25 keys wait. */
const requestsAtOnce = 8;
const maxTries = 8;

export type ReadItem = (key: Key) => Promise<Item | undefined>;

export interface GatheredReads {
  /** Strongly consistent. */
  readonly consistent: ReadItem;
  /** May lag. */
  readonly lagging: ReadItem;
}

export function createGatheredReads(table: Table): GatheredReads {
  return { consistent: createGathering(table, true), lagging: createGathering(table, false) };
}

interface Asked {
  readonly key: Key;
  tries: number;
  readonly answer: (item: Item | undefined) => void;
  readonly fail: (error: unknown) => void;
  /** Of everybody who asked. */
  readonly read: Promise<Item | undefined>;
}

const textOf = ({ pk, sk }: { readonly pk?: unknown; readonly sk?: unknown }): string => `${pk}\n${sk}`;

function createGathering(table: Table, isConsistent: boolean): ReadItem {
  const { client, tableName } = table;
  const backOff: BackOff = table.backOff ?? backOffAtRandom;
  /** Asked for, and in no request yet. */
  const waiting = new Map<string, Asked>();
  let underWay = 0;
  let isWoken = false;

  function wake(): void {
    if (isWoken) return;
    isWoken = true;
    // Whoever asks in the same turn is in the same request.
    void Promise.resolve().then(() => {
      isWoken = false;
      while (waiting.size >= keysAtOnce || (waiting.size > 0 && underWay < requestsAtOnce)) void send(take());
    });
  }

  function take(): readonly Asked[] {
    const taken = [...waiting.entries()].slice(0, keysAtOnce);
    for (const [text] of taken) waiting.delete(text);
    return taken.map(([, asked]) => asked);
  }

  async function send(batch: readonly Asked[]): Promise<void> {
    underWay++;
    try {
      const [first, ...others] = batch;
      if (first !== undefined && others.length === 0) first.answer(await readOne(first.key));
      else await readMany(batch);
    } catch (error) {
      for (const asked of batch) {
        if (isThrottled(error)) void askAgain(asked, error);
        else asked.fail(error);
      }
    } finally {
      underWay--;
      wake();
    }
  }

  async function readOne(key: Key): Promise<Item | undefined> {
    const command = new GetCommand({ TableName: tableName, Key: key, ConsistentRead: isConsistent });
    return (await answering(() => client.send(command))).Item;
  }

  async function readMany(batch: readonly Asked[]): Promise<void> {
    const request = { Keys: batch.map(({ key }) => ({ ...key })), ConsistentRead: isConsistent };
    const command = new BatchGetCommand({ RequestItems: { [tableName]: request } });
    const answer = await answering(() => client.send(command));
    const items = new Map((answer.Responses?.[tableName] ?? []).map((item) => [textOf(item), item]));
    const left = new Set((answer.UnprocessedKeys?.[tableName]?.Keys ?? []).map(textOf));
    for (const asked of batch) {
      const text = textOf(asked.key);
      if (left.has(text)) void askAgain(asked, new StoreUnavailable(new Error('a key left unread')));
      else asked.answer(items.get(text));
    }
  }

  /** The partition takes no more at this moment. While it is waited for, others have its request's turn. */
  async function askAgain(asked: Asked, why: unknown): Promise<void> {
    asked.tries++;
    if (asked.tries >= maxTries) return asked.fail(why);
    await backOff(5 * 2 ** asked.tries);
    const text = textOf(asked.key);
    const other = waiting.get(text);
    if (other !== undefined) {
      other.read.then(asked.answer, asked.fail);
      return;
    }
    waiting.set(text, asked);
    wake();
  }

  return (key) => {
    const text = textOf(key);
    const known = waiting.get(text);
    if (known !== undefined) return known.read;
    const { promise, resolve, reject } = withResolvers<Item | undefined>();
    waiting.set(text, { key, tries: 0, answer: resolve, fail: reject, read: promise });
    wake();
    return promise;
  };
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
