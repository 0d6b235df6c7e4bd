import { ScanCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { TestTable } from './engine.ts';

/** Everything that is in a table, read consistently. */
export async function allItems({ client, tableName }: TestTable): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let behind: Record<string, unknown> | undefined;
  do {
    const from = behind === undefined ? {} : { ExclusiveStartKey: behind };
    const page: Awaited<ReturnType<typeof scan>> = await scan(from);
    items.push(...(page.Items ?? []));
    behind = page.LastEvaluatedKey;
  } while (behind !== undefined);
  return items;

  function scan(from: object) {
    return client.send(new ScanCommand({ TableName: tableName, ConsistentRead: true, ...from }));
  }
}
