// The reconciler's way through the table: a Scan, page by page, and an item that keeps the place. It asks for what a
// session holds, and IAM refuses every other attribute, those of password digests among them.

import { sessionAttributes } from '../../../config/attributes.ts';
import { ms } from '../../../domain/time.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { Stored } from '../../../ports/presence/sessions.ts';
import type { Bookmark, Progress, TableWalk, WalkPage } from '../../../ports/repair/table-walk.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand, ScanCommand } from '../common/commands.ts';
import { progressKey } from '../common/keys.ts';
import { onlyAttributes } from '../common/only-attributes.ts';
import { replace } from '../common/replace.ts';
import { parseRosterKey } from '../counter/roster-item.ts';
import { decodeSession, type Item } from '../presence/session-item.ts';

export function createTableWalk(client: DocumentClient, tableName: string, random: Random): TableWalk {
  return {
    async readPage(after, limit) {
      const answer = await answering(() =>
        client.send(
          new ScanCommand({
            TableName: tableName,
            Limit: limit,
            ...onlyAttributes(sessionAttributes),
            FilterExpression: 'begins_with(pk, :sessions) OR begins_with(pk, :rosters)',
            ExpressionAttributeValues: { ':sessions': 'S|', ':rosters': 'N|' },
            ...(after === undefined ? {} : { ExclusiveStartKey: JSON.parse(after) as Item }),
          }),
        ),
      );
      return readItems(answer.Items ?? [], answer.LastEvaluatedKey);
    },
    async readProgress() {
      const get = new GetCommand({ TableName: tableName, Key: progressKey, ConsistentRead: true });
      const { Item: item } = await answering(() => client.send(get));
      return item === undefined ? undefined : decodeProgress(item);
    },
    /**
     * Keeps one walker at a time on its way: who saves second has read its page in vain and stops. A try that the SDK
     * repeats meets its own revision and is done. Dying before it repeats one page, and a page may be repeated.
     */
    saveProgress(progress, expected) {
      const item = { ...progressKey, ...progress };
      return replace({ client, tableName }, progress, item, random.revision(), expected, decodeProgress);
    },
  };
}

function readItems(items: readonly Item[], last: Item | undefined): WalkPage {
  const sessions = items.filter((item) => String(item.pk).startsWith('S|'));
  const rosters = items.filter((item) => String(item.pk).startsWith('N|'));
  return {
    sessions: sessions.map((item) => decodeSession(item).value),
    rosters: rosters.map((item) => parseRosterKey(String(item.pk), String(item.sk))),
    ...(last === undefined ? {} : { next: JSON.stringify({ pk: last.pk, sk: last.sk }) as Bookmark }),
  };
}

function decodeProgress(item: Item): Stored<Progress> {
  const value: Progress = {
    pass: Number(item.pass),
    startedAt: ms(Number(item.startedAt)),
    pages: Number(item.pages),
    ...(item.endedAt === undefined ? {} : { endedAt: ms(Number(item.endedAt)) }),
    ...(item.after === undefined ? {} : { after: String(item.after) as Bookmark }),
    ...(item.pagesBefore === undefined ? {} : { pagesBefore: Number(item.pagesBefore) }),
  };
  return { value, revision: String(item.rev) };
}
