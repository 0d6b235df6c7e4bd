// Writes that a start owes, many in a transaction. One that is refused keeps no other from being done.

import { transact, type Writes } from '../shared/adapters/dynamodb/common/transaction.ts';
import type { Table } from '../shared/adapters/dynamodb/settings/settings-by-username.ts';

export interface Owed<T> {
  readonly of: T;
  readonly write: Writes[number];
}

/** Answers those that were refused. */
export async function writeTogether<T>(table: Table, owed: readonly Owed<T>[]): Promise<readonly T[]> {
  const refused: T[] = [];
  let left = owed;
  while (left.length > 0) {
    const outcome = await transact(
      table,
      left.map(({ write }) => write),
    );
    if (outcome.kind === 'done') break;
    const at = new Set(outcome.at);
    refused.push(...left.filter((_, n) => at.has(n)).map(({ of }) => of));
    left = left.filter((_, n) => !at.has(n));
  }
  return refused;
}

export function inBatches<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}
