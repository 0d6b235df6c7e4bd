// What stores send: one request to DynamoDB in values of JavaScript, and the client that takes it. They have the names
// and the fields of the SDK's document client, without its code: `client.ts` sends them by itself, `sdk-client.ts`
// through the SDK.

import type * as Sdk from '@aws-sdk/lib-dynamodb';

export type Operation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'Scan'
  | 'TransactGetItems'
  | 'TransactWriteItems'
  | 'UpdateItem';

export interface DocumentClient {
  send<Output>(command: Command<object, Output>): Promise<Output>;
}

type Answer<Output> = Omit<Output, '$metadata'>;

export abstract class Command<Input extends object, Output> {
  /** As DynamoDB calls it. */
  abstract readonly operation: Operation;
  readonly input: Input;
  /** Never there: it tells the types what is answered. */
  declare readonly output: Output;

  constructor(input: Input) {
    this.input = input;
  }
}

export class BatchGetCommand extends Command<Sdk.BatchGetCommandInput, Answer<Sdk.BatchGetCommandOutput>> {
  readonly operation = 'BatchGetItem';
}
export class BatchWriteCommand extends Command<Sdk.BatchWriteCommandInput, Answer<Sdk.BatchWriteCommandOutput>> {
  readonly operation = 'BatchWriteItem';
}
export class DeleteCommand extends Command<Sdk.DeleteCommandInput, Answer<Sdk.DeleteCommandOutput>> {
  readonly operation = 'DeleteItem';
}
export class GetCommand extends Command<Sdk.GetCommandInput, Answer<Sdk.GetCommandOutput>> {
  readonly operation = 'GetItem';
}
export class PutCommand extends Command<Sdk.PutCommandInput, Answer<Sdk.PutCommandOutput>> {
  readonly operation = 'PutItem';
}
export class QueryCommand extends Command<Sdk.QueryCommandInput, Answer<Sdk.QueryCommandOutput>> {
  readonly operation = 'Query';
}
export class ScanCommand extends Command<Sdk.ScanCommandInput, Answer<Sdk.ScanCommandOutput>> {
  readonly operation = 'Scan';
}
export class TransactGetCommand extends Command<Sdk.TransactGetCommandInput, Answer<Sdk.TransactGetCommandOutput>> {
  readonly operation = 'TransactGetItems';
}
export class TransactWriteCommand extends Command<
  Sdk.TransactWriteCommandInput,
  Answer<Sdk.TransactWriteCommandOutput>
> {
  readonly operation = 'TransactWriteItems';
}
export class UpdateCommand extends Command<Sdk.UpdateCommandInput, Answer<Sdk.UpdateCommandOutput>> {
  readonly operation = 'UpdateItem';
}
