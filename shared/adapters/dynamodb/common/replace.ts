import type { PutOutcome, Stored } from '../../../ports/presence/sessions.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { PutCommand } from './commands.ts';
import { Refused, refusable } from './conditions.ts';

/**
 * Replaces a whole item, of which `item` is the form, if nobody has written since `expected` was read (undefined: nothing
 * was there). Throws StoreUnavailable where the database does not answer.
 *
 * Invariant: I5: what a late event or a second process decided on an older record is refused, and decided again.
 * Race: of two writers one is refused, and is told what stands there.
 * On crash: nothing is half done. A try that the SDK repeats after a time-out meets its own revision, and is done.
 */
export async function replace<T>(
  { client, tableName, backOff }: Table,
  value: T,
  item: Record<string, unknown>,
  revision: string,
  expected: Stored<T> | undefined,
  decode: (item: Record<string, unknown>) => Stored<T>,
): Promise<PutOutcome<T>> {
  const command = new PutCommand({
    TableName: tableName,
    Item: { ...item, rev: revision },
    ...(expected === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': expected.revision } }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const answer = await refusable(() => client.send(command), backOff);
  if (!(answer instanceof Refused) || answer.item?.rev === revision) return { kind: 'done', value, revision };
  return { kind: 'changed', current: answer.item === undefined ? undefined : decode(answer.item) };
}
