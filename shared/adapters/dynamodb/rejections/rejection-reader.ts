// Rejections as the API shows them. Which usernames were rejected lately is found through an index whose entries lie in the same
// number of partitions as the usernames: a storm over many usernames moves many entries, and no partition takes them all.

import { usernamePartitions } from '../../../config/constants.ts';
import { tableDefinition } from '../../../config/table.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { type RecordedReason, recordedReasons } from '../../../domain/refusal.ts';
import { ms } from '../../../domain/time.ts';
import type {
  HourCount,
  RecentFilter,
  RecentPlace,
  RejectionReader,
  UsernameRejections,
} from '../../../ports/rejections/rejections.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, QueryCommand } from '../common/commands.ts';
import { hourKey, hourText, recentPk, rejectionsKey } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { compareUsernames } from '../settings/settings-by-username.ts';
import { readLastRejections } from './last-rejections.ts';
import { parseRejectionItem } from './rejection-store.ts';

type Item = Record<string, unknown>;

const [, { name: dueIndex }] = tableDefinition.indexes;
const partitions = Array.from({ length: usernamePartitions }, (_, partition) => partition);

type Page = Parameters<RejectionReader['listRecent']>[1];
type Recent = Awaited<ReturnType<RejectionReader['listRecent']>>;

/** Records that are read at a time where a filter leaves some of them out, and how often for one page. */
const filteredAtOnce = 100;
const filteredRounds = 4;

/** Newest first; of one moment, in order of username, and then of reason. */
function compareRecent(a: RecentPlace, b: RecentPlace): number {
  const byReason = recordedReasons.indexOf(a.reason) - recordedReasons.indexOf(b.reason);
  return b.lastAt - a.lastAt || compareUsernames(a.username, b.username) || byReason;
}

function parseEntry({ sk, dueAt }: Item): RecentPlace[] {
  const [, word, username = ''] = /^([a-z_]+)\|(.+)$/su.exec(String(sk)) ?? [];
  const reason = recordedReasons.find((one) => one === word);
  return reason === undefined ? [] : [{ username: username as Username, reason, lastAt: ms(Number(dueAt)) }];
}

function isWithin({ from = ms(0), to = ms(Number.MAX_SAFE_INTEGER) }: RecentFilter, at: number): boolean {
  return at >= from && at < to;
}

export function createRejectionReader(client: DocumentClient, tableName: string): RejectionReader {
  const table = { client, tableName };

  /** The first `limit` entries of a partition behind `after`, and those of the same moment as the last of them. */
  async function recentOf(pk: string, { limit, after, from = ms(0), to }: Page): Promise<RecentPlace[]> {
    const found: RecentPlace[] = [];
    // A key condition includes both of its bounds.
    const newest = Math.min(after?.lastAt ?? Number.MAX_SAFE_INTEGER, (to ?? Number.MAX_SAFE_INTEGER) - 1);
    if (newest < from) return found;
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: tableName,
        IndexName: dueIndex,
        KeyConditionExpression: 'duePk = :pk AND dueAt BETWEEN :from AND :newest',
        ExpressionAttributeValues: { ':pk': pk, ':from': from, ':newest': newest },
        ScanIndexForward: false,
        Limit: limit + 1,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await answering(() => client.send(command));
      for (const place of (answer.Items ?? []).flatMap(parseEntry))
        if (after === undefined || compareRecent(place, after) > 0) found.push(place);
      start = answer.LastEvaluatedKey;
      // Entries of one moment come in any order, so all of that moment are read before they are put in order.
    } while (start !== undefined && (found.length <= limit || Number(start.dueAt) === found[limit - 1]?.lastAt));
    return found;
  }

  async function recordsOf(
    id: DeploymentId,
    places: readonly Pick<RecentPlace, 'username' | 'reason'>[],
  ): Promise<UsernameRejections[]> {
    const keyOf = ({ username, reason }: (typeof places)[number]) => rejectionsKey(id, username, reason);
    const find = await readItems(table, places.map(keyOf), { consistent: true });
    return places.flatMap((place) => {
      const { username, reason } = place;
      const known = parseRejectionItem(find(keyOf(place)));
      if (known === undefined) return [];
      return [{ username, reason, clientId: known.lastClientId, count: known.count, lastAt: known.lastAt }];
    });
  }

  async function listAll(id: DeploymentId, page: Page): Promise<Recent> {
    const found = await Promise.all(partitions.map((partition) => recentOf(recentPk(id, partition), page)));
    const sorted = found.flat().sort(compareRecent);
    const shown = sorted.slice(0, page.limit);
    return { items: await recordsOf(id, shown), next: sorted.length > page.limit ? shown.at(-1) : undefined };
  }

  /** The index is in order of time alone, so a reason is looked for among all of them, and not without an end. */
  async function listOfReason(id: DeploymentId, reason: RecordedReason, page: Page): Promise<Recent> {
    const items: UsernameRejections[] = [];
    let { after } = page;
    for (let round = 0; round < filteredRounds; round++) {
      const read = await listAll(id, { ...page, limit: filteredAtOnce, ...(after === undefined ? {} : { after }) });
      items.push(...read.items.filter((one) => one.reason === reason));
      if (items.length > page.limit) return { items: items.slice(0, page.limit), next: items[page.limit - 1] };
      after = read.next;
      if (after === undefined) break;
    }
    return { items, next: after };
  }

  async function listOfUsername(id: DeploymentId, username: Username, page: Page): Promise<Recent> {
    const { reason: only, after, limit } = page;
    const reasons = only === undefined ? recordedReasons : [only];
    const records = await recordsOf(
      id,
      reasons.map((reason) => ({ username, reason })),
    );
    const shown = records
      .filter((one) => isWithin(page, one.lastAt) && (after === undefined || compareRecent(one, after) > 0))
      .sort(compareRecent);
    return { items: shown.slice(0, limit), next: shown.length > limit ? shown[limit - 1] : undefined };
  }

  async function hoursOf(id: DeploymentId, partition: number, range: { from: number; until: number; limit: number }) {
    const { pk } = hourKey(id, partition, 0);
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
      ExpressionAttributeValues: { ':pk': pk, ':from': hourText(range.from), ':until': hourText(range.until) },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: range.limit,
    });
    return (await answering(() => client.send(command))).Items ?? [];
  }

  return {
    listRecent(id, page) {
      if (page.username !== undefined) return listOfUsername(id, page.username, page);
      return page.reason === undefined ? listAll(id, page) : listOfReason(id, page.reason, page);
    },

    listLast: (id, username) => readLastRejections(table, id, username),

    async listHours(id, range) {
      // The newest `limit` hours of all partitions are among the newest `limit` of each.
      const found = await Promise.all(partitions.map((partition) => hoursOf(id, partition, range)));
      const counts = new Map<number, number>();
      for (const item of found.flat()) {
        const hour = Number(item.sk);
        counts.set(hour, (counts.get(hour) ?? 0) + Number(item.rejections));
      }
      const hours = [...counts].map(([hour, count]): HourCount => ({ hour: ms(hour), count }));
      return hours.sort((a, b) => b.hour - a.hour).slice(0, range.limit);
    },
  };
}
