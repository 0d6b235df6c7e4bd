// What each function may do with the table, item by item. Only who walks the whole table may Scan, and nobody may
// touch the table itself: a read that grows with the number of sessions is refused by IAM even if somebody writes one.
// Digests of passwords are read by the authorizer and the front door, which check passwords. Others that write such an item
// could have a refused write show it (ReturnValuesOnConditionCheckFailure), which IAM cannot forbid and no code of ours does.
// The lists are what the deployed functions were seen to use, no less and no more (test/infra/deployed.test.ts).

import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  keyAttributes,
  mqttUserAttributes,
  removalAttributes,
  sessionAttributes,
} from '../shared/config/attributes.ts';
import type { TableUser } from '../shared/config/env.ts';
import type { tableDefinition } from '../shared/config/table.ts';

type IndexName = (typeof tableDefinition.indexes)[number]['name'];

/** What an item's partition key begins with. With `=` it is the whole of the key. */
const itemKinds = {
  A: 'audit records',
  C: 'who holds a client id',
  D: 'deployments, their limits and token issuers',
  H: 'rejections by the hour',
  I: 'app clients',
  J: 'operations',
  K: 'which deployment an Idempotency-Key made',
  L: 'lanes: the count of a username that has very many sessions',
  M: 'server names',
  N: 'rosters: the count of a username',
  O: 'overrides',
  P: 'MQTT passwords',
  R: 'rejections and rank of a username',
  S: 'sessions',
  T: "a tenant's deployments",
  W: 'whitelist entries',
  X: 'rejections of a username by reason, and its last ones',
  '=account': 'what the broker keeps persistent sessions of MQTT 3 for',
  '=format': 'format version of the table, and ids of the keys of passwords',
  '=token-keys': 'which deployments have token keys to fetch',
  '=reconciler': 'its place in the table',
  '=tenants': 'the tenants',
} as const;

type ItemKind = keyof typeof itemKinds;

const keyPattern = (kind: ItemKind): string => (kind.startsWith('=') ? kind.slice(1) : `${kind}|*`);

type TransactionPart = 'ConditionCheckItem' | 'DeleteItem' | 'PutItem' | 'UpdateItem';

type ItemAction =
  | Exclude<TransactionPart, 'ConditionCheckItem'>
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'GetItem'
  | 'Query';

/**
 * Writes that happen together. IAM asks for the action of each part; whether it holds a part against the part's own key
 * or against all keys of the request, AWS does not say. This grant is enough for both, and good for nothing outside of a
 * transaction.
 */
interface Transaction {
  readonly parts: readonly TransactionPart[];
  readonly kinds: readonly ItemKind[];
}

export interface TableAccess {
  readonly items: Readonly<Partial<Record<ItemAction, readonly ItemKind[]>>>;
  readonly transactions?: readonly Transaction[];
  readonly indexes?: readonly IndexName[];
  /** Reads that meet items with password digests, and must not see those. */
  readonly partialReads?: readonly PartialRead[];
  /** Items that an UpdateItem changes and does not answer with. */
  readonly blindUpdates?: readonly ItemKind[];
}

/** Of these items (a Scan: of all there is) these attributes only. */
type PartialRead = { readonly attributes: readonly string[] } & (
  | { readonly action: 'Scan' }
  | { readonly action: 'Query'; readonly kinds: readonly ItemKind[] }
);

/** All of several accesses. */
function together(...parts: readonly TableAccess[]): TableAccess {
  const items: Partial<Record<ItemAction, ItemKind[]>> = {};
  for (const part of parts)
    for (const [action, kinds] of Object.entries(part.items) as [ItemAction, readonly ItemKind[]][])
      items[action] = [...new Set([...(items[action] ?? []), ...kinds])].sort();
  return {
    items,
    transactions: parts.flatMap((part) => part.transactions ?? []),
    indexes: parts.flatMap((part) => part.indexes ?? []),
    partialReads: parts.flatMap((part) => part.partialReads ?? []),
    blindUpdates: parts.flatMap((part) => part.blindUpdates ?? []),
  };
}

/** Each process looks whether it may use the table. */
const opening: TableAccess = { items: { GetItem: ['=format'] } };

/** One that checks or stores passwords says under which key. */
const openingWithKeys: TableAccess = { items: { GetItem: ['=format'], UpdateItem: ['=format'] } };

/** Whoever changes rosters meets one that is kept in lanes. */
const lanes: TableAccess = {
  items: { BatchGetItem: ['L'], GetItem: ['L'], UpdateItem: ['L'] },
  // A reserve that is given or taken back, and a session that is written off a number.
  transactions: [{ parts: ['DeleteItem', 'PutItem', 'UpdateItem'], kinds: ['L', 'N', 'S'] }],
};

/** Deciding about a CONNECT: settings, credentials and the username are read, sessions and counts written. */
const deciding = together(openingWithKeys, lanes, {
  items: {
    BatchGetItem: ['C', 'D', 'N', 'O', 'S', 'W'],
    GetItem: ['C', 'M', 'N', 'P', 'S', 'X'],
    PutItem: ['C', 'S', 'X'],
    UpdateItem: ['N'],
    DeleteItem: ['N', 'S'],
  },
  // A rejection: one for quota of its username and of the hour, each of its reason.
  transactions: [
    { parts: ['UpdateItem'], kinds: ['H', 'R'] },
    { parts: ['UpdateItem'], kinds: ['X'] },
  ],
  indexes: ['due'],
});

/** What became of a CONNECT, sessions and counts only; and the order of usernames by used. */
const lifeCycle = together(opening, lanes, {
  items: {
    // What is asked for at the same moment is read together.
    BatchGetItem: ['C', 'N', 'S'],
    GetItem: ['C', 'N', 'R', 'S'],
    PutItem: ['S'],
    UpdateItem: ['N', 'R'],
    DeleteItem: ['N', 'R'],
  },
});

export const tableAccess: Readonly<Record<TableUser | 'frontdoor', TableAccess>> = {
  authorizer: deciding,
  // It decides as the authorizer does.
  frontdoor: deciding,
  // It stores passwords under a newer key, as digests that it is given.
  presence: together(lifeCycle, {
    items: { GetItem: ['=account'], PutItem: ['=account'] },
    blindUpdates: ['P'],
  }),
  // It recounts: that reads the sessions of a username where they can be read consistently, in the table itself.
  sweeper: together(lifeCycle, { items: { Query: ['S'] }, indexes: ['due', 'wake'] }),
  // It walks the whole table, a slice a minute, and recounts.
  reconciler: together(lifeCycle, {
    items: { GetItem: ['=reconciler'], PutItem: ['=reconciler'], Query: ['S'] },
    partialReads: [{ action: 'Scan', attributes: sessionAttributes }],
  }),
  // It goes where tenants' addresses lead. It sees the issuers of their tokens, and writes operations without reading any.
  'token-keys': together(opening, {
    items: { DeleteItem: ['J'], GetItem: ['D'], PutItem: ['J'], Query: ['=token-keys'], UpdateItem: ['D'] },
  }),
  // It ends sessions, and removes what a deployment leaves behind.
  operations: together(opening, lanes, {
    items: {
      BatchGetItem: ['C', 'N', 'S'],
      BatchWriteItem: ['C', 'D', 'H', 'L', 'M', 'N', 'O', 'P', 'R', 'S', 'W', 'X'],
      DeleteItem: ['N'],
      GetItem: ['C', 'D', 'J', 'N', 'S'],
      PutItem: ['J', 'S'],
      Query: ['N', 'S'],
      UpdateItem: ['N'],
    },
    transactions: [{ parts: ['DeleteItem'], kinds: ['D', 'T', '=token-keys'] }],
    indexes: ['wake'],
    partialReads: [
      { action: 'Scan', attributes: removalAttributes },
      { action: 'Query', kinds: ['P'], attributes: keyAttributes },
    ],
  }),
  api: together(openingWithKeys, lanes, {
    items: {
      BatchGetItem: ['A', 'C', 'D', 'J', 'N', 'R', 'S', 'W', 'X'],
      BatchWriteItem: ['W'],
      DeleteItem: ['J', 'N', 'O'],
      GetItem: ['C', 'D', 'I', 'J', 'K', 'N', 'O', 'S', 'X', '=tenants'],
      PutItem: ['J', 'S', '=tenants'],
      Query: ['A', 'H', 'N', 'O', 'S', 'T', 'W', '=tenants'],
      UpdateItem: ['D', 'N'],
    },
    transactions: [
      {
        parts: ['ConditionCheckItem', 'DeleteItem', 'PutItem', 'UpdateItem'],
        kinds: ['A', 'D', 'J', 'K', 'M', 'O', 'P', 'R', 'T', '=token-keys'],
      },
    ],
    // `wake`: how many operations of a tenant are running.
    indexes: ['due', 'rank', 'wake'],
    partialReads: [{ action: 'Query', kinds: ['P'], attributes: mqttUserAttributes }],
  }),
};

/** Telling of a username near its limit takes its deployment's limit and whitelist, besides what `lifeCycle` has. */
export const noticing: TableAccess = { items: { BatchGetItem: ['D'], GetItem: ['W'] }, indexes: [] };

/**
 * Of a request that names several items, each must be one of these. A request without keys would pass, and none of the
 * actions has one: Scan, which has none, is granted by itself. [AWS: keys of the partition are known to these actions]
 */
const onlyItems = (kinds: readonly ItemKind[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': kinds.map(keyPattern) },
});

/**
 * IAM compares what a request names, in keys, filter and projection; a request that names nothing would pass and read all
 * of an item. So it has to say as well that it asks for attributes. GetItem has no `Select` and cannot be held to this.
 * [AWS: Ensuring attribute-based restrictions are enforced]
 */
const onlyAttributes = ({ attributes, ...read }: PartialRead) => ({
  StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
  'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes },
  ...(read.action === 'Scan' ? {} : onlyItems(read.kinds)),
});

/** A request that does not say what it wants back gets nothing; whether IAM knows it as `NONE`, AWS does not say. */
const answeringNothing = { StringEqualsIfExists: { 'dynamodb:ReturnValues': 'NONE' } };

export function grantTableAccess(table: ITable, access: TableAccess, grantee: IGrantable): void {
  const grant = (actions: readonly string[], resources: string[], conditions: Record<string, unknown> = {}): void =>
    void grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: actions.map((action) => `dynamodb:${action}`), resources, conditions }),
    );
  // Actions with the same items share a statement.
  const byKinds = new Map<string, { readonly kinds: readonly ItemKind[]; readonly actions: string[] }>();
  for (const [action, kinds] of Object.entries(access.items)) {
    const same = byKinds.get(kinds.join()) ?? { kinds, actions: [] };
    same.actions.push(action);
    byKinds.set(kinds.join(), same);
  }
  for (const { kinds, actions } of byKinds.values()) grant(actions, [table.tableArn], onlyItems(kinds));
  for (const { parts, kinds } of access.transactions ?? [])
    grant(parts, [table.tableArn], {
      ...onlyItems(kinds),
      'ForAnyValue:StringEquals': { 'dynamodb:EnclosingOperation': 'TransactWriteItems' },
    });
  for (const read of access.partialReads ?? []) grant([read.action], [table.tableArn], onlyAttributes(read));
  const blind = access.blindUpdates ?? [];
  if (blind.length > 0) grant(['UpdateItem'], [table.tableArn], { ...onlyItems(blind), ...answeringNothing });
  // An index entry is keys and a time, and which partition of an index is read is no secret.
  const indexes = (access.indexes ?? []).map((index) => `${table.tableArn}/index/${index}`);
  if (indexes.length > 0) grant(['Query'], indexes);
}
