import { paginateScan } from '@aws-sdk/lib-dynamodb';
import type { TestTable } from './engine.ts';

/** Everything that is in a table, read consistently. */
export async function allItems({ client, tableName }: TestTable): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for await (const page of paginateScan({ client }, { TableName: tableName, ConsistentRead: true }))
    items.push(...(page.Items ?? []));
  return items;
}
