// What each function may do with the table, item by item. Only who walks the whole table may Scan, and nobody may
// touch the table itself: a read that grows with the number of sessions is refused by IAM even if somebody writes one. The lists are what the
// deployed functions were seen to use, no less and no more (test/infra/deployed.test.ts).

import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionName } from '../shared/config/env.ts';
import type { tableDefinition } from '../shared/config/table.ts';

type IndexName = (typeof tableDefinition.indexes)[number]['name'];

/**
 * What an item's partition key begins with. A audit, C client id owners, D deployments and their limits, H rejections by
 * hour, I app clients, J operations, M server names, N rosters, O overrides, P MQTT passwords, R rejections, S sessions, T a tenant's
 * deployments, W whitelist entries. With `=` the whole of the key: what has token keys to fetch, the reconciler's place
 * in the table, the tenants.
 */
type ItemKind =
  | 'A'
  | 'C'
  | 'D'
  | 'H'
  | 'I'
  | 'J'
  | 'M'
  | 'N'
  | 'O'
  | 'P'
  | 'R'
  | 'S'
  | 'T'
  | 'W'
  | '=token-keys'
  | '=reconciler'
  | '=tenants';

const keyPattern = (kind: ItemKind): string => (kind.startsWith('=') ? kind.slice(1) : `${kind}|*`);

type ItemAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'ConditionCheckItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem';

export interface TableAccess {
  /** A transaction needs the actions of its parts. */
  readonly items: Readonly<Partial<Record<ItemAction, readonly ItemKind[]>>>;
  readonly indexes: readonly IndexName[];
  /** Reads all there is, item after item. */
  readonly scan?: true;
}

/** Deciding about a CONNECT: settings, credentials and the username are read, sessions and counts written. */
const deciding: TableAccess = {
  items: {
    BatchGetItem: ['C', 'D', 'N', 'O', 'S', 'W'],
    GetItem: ['C', 'M', 'N', 'P', 'S'],
    PutItem: ['C', 'S'],
    UpdateItem: ['H', 'N', 'R'],
    DeleteItem: ['N', 'S'],
  },
  indexes: ['due'],
};

/** What became of a CONNECT: sessions and counts only. */
const lifeCycle: TableAccess = {
  items: {
    GetItem: ['C', 'N', 'S'],
    PutItem: ['S'],
    UpdateItem: ['N'],
    DeleteItem: ['N'],
  },
  indexes: [],
};

/** The same, and the order of usernames by used. */
const ranking: TableAccess = {
  items: {
    ...lifeCycle.items,
    GetItem: ['C', 'N', 'R', 'S'],
    UpdateItem: ['N', 'R'],
    DeleteItem: ['N', 'R'],
  },
  indexes: [],
};

export const tableAccess: Readonly<Record<FunctionName | 'frontdoor', TableAccess>> = {
  authorizer: deciding,
  // It decides as the authorizer does.
  frontdoor: deciding,
  presence: ranking,
  // It recounts: that reads the sessions of a username where they can be read consistently, in the table itself.
  sweeper: { items: { ...ranking.items, Query: ['S'] }, indexes: ['due', 'wake'] },
  // It walks the whole table, a slice a minute, and recounts.
  reconciler: {
    items: {
      ...ranking.items,
      GetItem: ['C', 'N', 'R', 'S', '=reconciler'],
      PutItem: ['S', '=reconciler'],
      Query: ['S'],
    },
    indexes: [],
    scan: true,
  },
  expiry: { items: { GetItem: ['N', 'S'], UpdateItem: ['N'], DeleteItem: ['N'], Query: ['S'] }, indexes: [] },
  // It goes where tenants' addresses lead, and sees the issuers of their tokens only.
  'token-keys': { items: { GetItem: ['D'], Query: ['=token-keys'], UpdateItem: ['D'] }, indexes: [] },
  // It ends sessions, and removes what a deployment leaves behind.
  operations: {
    items: {
      BatchWriteItem: ['A', 'C', 'D', 'H', 'M', 'N', 'O', 'P', 'R', 'S', 'W'],
      DeleteItem: ['D', 'N', 'T', '=token-keys'],
      GetItem: ['C', 'D', 'J', 'N', 'P', 'S'],
      PutItem: ['J', 'S'],
      Query: ['N', 'S'],
      UpdateItem: ['N'],
    },
    indexes: ['wake'],
    scan: true,
  },
  api: {
    items: {
      BatchGetItem: ['D', 'N', 'R', 'W'],
      BatchWriteItem: ['W'],
      ConditionCheckItem: ['D'],
      DeleteItem: ['=token-keys', 'M', 'N', 'O', 'P'],
      GetItem: ['C', 'D', 'I', 'J', 'N', 'O', 'S', '=tenants'],
      PutItem: ['A', 'D', 'J', '=token-keys', 'M', 'O', 'S', 'T', '=tenants'],
      Query: ['A', 'H', 'N', 'O', 'P', 'S', 'T', 'W', '=tenants'],
      UpdateItem: ['D', 'N', 'P', 'R'],
    },
    indexes: ['due', 'rank'],
  },
};

/** Telling of a username near its limit takes its deployment's limit and whitelist, besides what `ranking` has. */
export const noticing: TableAccess = { items: { BatchGetItem: ['D'], GetItem: ['W'] }, indexes: [] };

export function grantTableAccess(table: Table, access: TableAccess, grantee: IGrantable): void {
  // Actions with the same items share a statement.
  const byKinds = new Map<string, string[]>();
  for (const [action, kinds] of Object.entries(access.items)) {
    const prefixes = kinds.map(keyPattern).join();
    byKinds.set(prefixes, [...(byKinds.get(prefixes) ?? []), `dynamodb:${action}`]);
  }
  for (const [prefixes, actions] of byKinds)
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions,
        resources: [table.tableArn],
        // Of a request that names several items, each must be one of these.
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': prefixes.split(',') } },
      }),
    );
  if (access.scan === true)
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['dynamodb:Scan'], resources: [table.tableArn] }),
    );
  // An index entry is keys and a time, and which partition of an index is read is no secret.
  const indexes = access.indexes.map((index) => `${table.tableArn}/index/${index}`);
  if (indexes.length > 0)
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['dynamodb:Query'], resources: indexes }),
    );
}
