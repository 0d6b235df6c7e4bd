// From bytes to units, by AWS's rules. What an index is charged says its table (table.ts).
// [AWS: read-write-operations; transaction-capacity-handling]

import type { Item } from '../../../shared/adapters/dynamodb/presence/session-item.ts';
import { documentBytes } from './document-size.ts';

export const bytesOf = (item: Item | undefined): number => (item === undefined ? 0 : documentBytes(item));

type Consistency = 'eventual' | 'consistent' | 'transactional';

const readFactor: Readonly<Record<Consistency, number>> = { eventual: 0.5, consistent: 1, transactional: 2 };

export const consistency = (consistent: boolean | undefined): Consistency =>
  consistent === true ? 'consistent' : 'eventual';

/** Of bytes that are read together and rounded up once. Reading nothing costs as much as reading 4 KB. */
export function readUnits(bytes: number, consistency: Consistency): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * readFactor[consistency];
}

/** One write of the table: the larger item of the two, at least 1, also where its condition failed or nothing stood there. */
export function writeUnits(before: Item | undefined, after: Item | undefined): number {
  return Math.max(1, Math.ceil(bytesOf(before) / 1_024), Math.ceil(bytesOf(after) / 1_024));
}
