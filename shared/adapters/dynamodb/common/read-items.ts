// Many items by their keys, whatever their number and size.

import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { backOffAtRandom } from './back-off.ts';
import { BatchGetCommand } from './commands.ts';
import { patiently } from './conditions.ts';
import type { Key } from './keys.ts';

const keysPerBatch = 100;
const maxTries = 8;

const keyText = (key: { readonly pk?: unknown; readonly sk?: unknown }): string => `${key.pk}\n${key.sk}`;

/** `attributes`: what is wanted of each besides its key; all of it unless told, and it costs the same. */
export async function readItems(
  table: Table,
  keys: readonly Key[],
  options: { readonly consistent: boolean; readonly attributes?: readonly string[] },
): Promise<(key: Key) => Item | undefined> {
  const found = new Map<string, Item>();
  const projection =
    options.attributes === undefined ? {} : { ProjectionExpression: ['pk', 'sk', ...options.attributes].join(', ') };
  for (let from = 0; from < keys.length; from += keysPerBatch) {
    let wanted: readonly Record<string, unknown>[] = keys.slice(from, from + keysPerBatch).map((key) => ({ ...key }));
    // One answer holds 16 MB: what did not fit, or met a throttle, is asked for again.
    for (let tries = 0; wanted.length > 0; tries++) {
      if (tries >= maxTries) throw new StoreUnavailable(new Error('keys left unread'));
      if (tries > 0) await (table.backOff ?? backOffAtRandom)(10 * 2 ** tries);
      const request = { Keys: [...wanted], ConsistentRead: options.consistent, ...projection };
      const command = new BatchGetCommand({ RequestItems: { [table.tableName]: request } });
      const answer = await patiently(() => table.client.send(command), table.backOff);
      for (const item of answer.Responses?.[table.tableName] ?? []) found.set(keyText(item), item);
      wanted = answer.UnprocessedKeys?.[table.tableName]?.Keys ?? [];
    }
  }
  return (key) => found.get(keyText(key));
}
