// What each function may do with the table. No function may Scan, and none may touch the table itself: a read that
// grows with the number of sessions is refused by IAM even if somebody writes one.

import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionName } from '../shared/config/env.ts';
import type { tableDefinition } from '../shared/config/table.ts';

type IndexName = (typeof tableDefinition.indexes)[number]['name'];

export interface TableAccess {
  /** Actions on items. A transaction needs those of its parts. */
  readonly itemActions: readonly string[];
  /** Query of the table itself, not of an index. */
  readonly queryTable: boolean;
  readonly queryIndexes: readonly IndexName[];
}

const itemActions = ['BatchGetItem', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'];

export const tableAccess: Readonly<Record<FunctionName | 'frontdoor', TableAccess>> = {
  authorizer: { itemActions, queryTable: false, queryIndexes: ['due'] },
  // It decides as the authorizer does.
  frontdoor: { itemActions, queryTable: false, queryIndexes: ['due'] },
  presence: { itemActions, queryTable: false, queryIndexes: ['due'] },
  // It recounts: that reads the sessions of a username where they can be read consistently, in the table itself.
  sweeper: { itemActions, queryTable: true, queryIndexes: ['due', 'wake'] },
  api: {
    itemActions: [...itemActions, 'BatchWriteItem', 'ConditionCheckItem'],
    queryTable: true,
    queryIndexes: ['due', 'wake'],
  },
};

export function grantTableAccess(table: Table, access: TableAccess, grantee: IGrantable): void {
  const queried = [
    ...(access.queryTable ? [table.tableArn] : []),
    ...access.queryIndexes.map((index) => `${table.tableArn}/index/${index}`),
  ];
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: access.itemActions.map((action) => `dynamodb:${action}`),
      resources: [table.tableArn],
    }),
  );
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: ['dynamodb:Query'], resources: queried }));
}
