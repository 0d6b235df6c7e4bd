// Usernames of a deployment in order, merged from the partitions that their rosters are spread over.

import { usernamePartitions } from '../../config/constants.ts';
import type { Username } from '../../domain/ids.ts';
import type { Roster } from '../../ports/sessions.ts';

export interface Counted {
  readonly username: Username;
  readonly roster: Roster;
}

export interface Range {
  readonly order: 'asc' | 'desc';
  readonly after: Username | undefined;
  readonly prefix: string | undefined;
}

export interface RosterPage {
  readonly items: readonly Counted[];
  readonly more: boolean;
}

export type ReadPartition = (partition: number, limit: number, after: Username | undefined) => Promise<RosterPage>;

/** DynamoDB takes one condition on the sort key; where the page starts is told by the exclusive start key. */
export function buildRosterQuery(tableName: string, pk: string, range: Range, limit: number) {
  const { after, prefix, order } = range;
  const byPrefix = prefix !== undefined && prefix !== '';
  return {
    TableName: tableName,
    ConsistentRead: true,
    ScanIndexForward: order === 'asc',
    Limit: limit,
    KeyConditionExpression: byPrefix ? 'pk = :pk AND begins_with(sk, :prefix)' : 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk, ...(byPrefix ? { ':prefix': prefix } : {}) },
    ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
  };
}

/** One partition, read a few at a time. */
class Source {
  private readonly read: ReadPartition;
  private readonly partition: number;
  private ahead: Counted[] = [];
  private last: Username | undefined;
  private more = true;

  constructor(read: ReadPartition, partition: number, after: Username | undefined) {
    this.read = read;
    this.partition = partition;
    this.last = after;
  }

  async fill(limit: number): Promise<void> {
    while (this.ahead.length === 0 && this.more) {
      const page = await this.read(this.partition, limit, this.last);
      this.ahead = [...page.items];
      this.more = page.more;
      this.last = page.items.at(-1)?.username ?? this.last;
    }
  }

  head(): Counted | undefined {
    return this.ahead[0];
  }

  take(): void {
    this.ahead.shift();
  }
}

/** The first `limit` usernames of all partitions together. `more`: others may follow. */
export async function mergePartitions(
  read: ReadPartition,
  limit: number,
  order: Range['order'],
  after: Username | undefined,
): Promise<RosterPage> {
  // Half as many again as an even spread needs: most pages then read each partition once.
  const ahead = Math.max(4, Math.ceil((limit / usernamePartitions) * 1.5));
  const sources = Array.from({ length: usernamePartitions }, (_, partition) => new Source(read, partition, after));
  const items: Counted[] = [];
  for (;;) {
    await Promise.all(sources.map((source) => source.fill(ahead)));
    let first: Source | undefined;
    for (const source of sources) if (precedes(source.head(), first?.head(), order)) first = source;
    const head = first?.head();
    if (first === undefined || head === undefined) return { items, more: false };
    if (items.length >= limit) return { items, more: true };
    items.push(head);
    first.take();
  }
}

function precedes(a: Counted | undefined, b: Counted | undefined, order: Range['order']): boolean {
  if (a === undefined) return false;
  if (b === undefined) return true;
  // As DynamoDB sorts strings: by their UTF-8 bytes.
  const ascending = Buffer.compare(Buffer.from(a.username), Buffer.from(b.username));
  return order === 'asc' ? ascending < 0 : ascending > 0;
}
