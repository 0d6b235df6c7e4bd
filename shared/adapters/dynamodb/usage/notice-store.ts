// What was told of a username's threshold, in its usage item, beside the copy of its override that says which limit holds.

import { ms } from '../../../domain/time.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { Noticed, NoticeStore } from '../../../ports/usage/notices.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand, UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { perUsernameKey, whitelistKey } from '../common/keys.ts';
import type { Item } from '../presence/session-item.ts';
import { isListed } from '../settings/whitelist-item.ts';
import { parseUsageItem } from './usage-item.ts';

function parseNoticed(item: Item | undefined): Noticed {
  return {
    state: item?.noticed === 'set' ? 'set' : 'clear',
    at: typeof item?.noticedAt === 'number' ? ms(item.noticedAt) : undefined,
    untold: item?.untold === true,
    revision: item?.noticeRev === undefined ? undefined : String(item.noticeRev),
  };
}

export function createNoticeStore(client: DocumentClient, tableName: string, random: Random): NoticeStore {
  return {
    async readNoticed(deploymentId, username, generation) {
      const command = new GetCommand({
        TableName: tableName,
        Key: perUsernameKey('R', deploymentId, username),
        ConsistentRead: true,
      });
      const { Item: item } = await answering(() => client.send(command));
      return { ...parseNoticed(item), override: parseUsageItem(item, generation).override };
    },
    /**
     * Only over what was read, so that of two who saw the same crossing one tells of it. Dying after it leaves `untold`
     * for the next who looks. A try that the SDK repeats after a time-out meets its own revision: then it is done.
     */
    async putNoticed(deploymentId, username, next, seen) {
      const { state, at, untold } = next;
      const revision = random.revision();
      const over = seen.revision === undefined ? {} : { ':seen': seen.revision };
      const told = state === 'clear' && !untold;
      const change = told
        ? { UpdateExpression: 'REMOVE noticed, noticedAt, untold, noticeRev', ExpressionAttributeValues: over }
        : {
            UpdateExpression: 'SET noticed = :state, noticedAt = :at, untold = :untold, noticeRev = :next',
            ExpressionAttributeValues: { ':state': state, ':at': at, ':untold': untold, ':next': revision, ...over },
          };
      // Nothing is remembered, and nothing is to be: there is no item to be made for that.
      if (told && seen.revision === undefined) return { ...next, revision: undefined };
      const command = new UpdateCommand({
        TableName: tableName,
        Key: perUsernameKey('R', deploymentId, username),
        ConditionExpression: seen.revision === undefined ? 'attribute_not_exists(noticeRev)' : 'noticeRev = :seen',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        ...change,
      });
      const written = await refusable(() => client.send(command));
      const refused = written instanceof Refused && written.item?.noticeRev !== revision;
      return refused ? 'changed' : { ...next, revision: told ? undefined : revision };
    },
    async isWhitelisted(deploymentId, listId, username) {
      const command = new GetCommand({ TableName: tableName, Key: whitelistKey(deploymentId, listId, username) });
      return isListed((await answering(() => client.send(command))).Item, username);
    },
  };
}
