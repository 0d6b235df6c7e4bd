// The last rejections of a username, in one small item of their own: nothing else that is written or read of a username
// grows by them, and their number is bounded for good. An entry is one text, `<time>|<reason>|<client id>`.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { recordedReasons } from '../../../domain/refusal.ts';
import { ms } from '../../../domain/time.ts';
import { contended } from '../../../ports/common/errors.ts';
import { type RejectionEntry, type RejectionSum, rejectionsKept } from '../../../ports/rejections/rejections.ts';
import { answering } from '../common/answering.ts';
import { GetCommand, PutCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { rejectionsKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import type { Table } from '../settings/settings-by-username.ts';

/** Processes that write at the same moment; each further one is tried again by its recorder. */
const maxRounds = 8;

/** Of as many digits for 250 years, so that texts sort by time. */
const textOf = ({ at, reason, clientId }: RejectionEntry): string => `${at}|${reason}|${clientId}`;

function parseText(text: string): RejectionEntry[] {
  const [, at, word, clientId = ''] = /^(\d+)\|([a-z_]+)\|(.*)$/su.exec(text) ?? [];
  const reason = recordedReasons.find((one) => one === word);
  return reason === undefined ? [] : [{ at: ms(Number(at)), reason, clientId }];
}

async function readTexts(
  { client, tableName }: Table,
  id: DeploymentId,
  username: Username,
): Promise<{ readonly texts: readonly string[]; readonly revision: unknown }> {
  const command = new GetCommand({
    TableName: tableName,
    Key: rejectionsKey(id, username, 'last'),
    ConsistentRead: true,
  });
  const item: Item | undefined = (await answering(() => client.send(command))).Item;
  return { texts: Array.isArray(item?.last) ? item.last.map(String) : [], revision: item?.rev };
}

/** Newest first. */
export async function readLastRejections(
  table: Table,
  id: DeploymentId,
  username: Username,
): Promise<readonly RejectionEntry[]> {
  return (await readTexts(table, id, username)).texts.flatMap(parseText);
}

/** May be repeated: an entry that is there is not added again. */
export async function keepLastRejections(
  table: Table,
  { sumId, deploymentId, username, last }: RejectionSum,
): Promise<void> {
  for (let round = 0; round < maxRounds; round++) {
    const { texts, revision } = await readTexts(table, deploymentId, username);
    const all = [...new Set([...texts, ...last.map(textOf)])].sort().reverse().slice(0, rejectionsKept);
    if (all.length === texts.length && all.every((text, n) => text === texts[n])) return;
    // Invariant: the newest entries of all processes are kept, however late one of them writes.
    // Race: another process has written since the reading; then both are put together again.
    // On crash: the entries of this process are lost.
    const put = new PutCommand({
      TableName: table.tableName,
      Item: { ...rejectionsKey(deploymentId, username, 'last'), last: all, rev: sumId },
      ...(revision === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'rev = :seen', ExpressionAttributeValues: { ':seen': revision } }),
    });
    if (!((await refusable(() => table.client.send(put), table.backOff)) instanceof Refused)) return;
  }
  throw contended('others kept writing the last rejections of this username');
}
