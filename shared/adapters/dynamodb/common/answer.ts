// What DynamoDB answered: the fields of a success, or an error with the names and fields that the SDK's errors have.

import { crc32 } from 'node:zlib';
import type { CancellationReason, DynamoErrorShape } from './answering.ts';
import type { Exchanged } from './exchange.ts';
import type { Fields } from './item-places.ts';

/** Its message is DynamoDB's first line: what follows it in an error of signatures repeats the request with its token. */
class DynamoError extends Error implements DynamoErrorShape {
  readonly $metadata: { readonly httpStatusCode: number };
  readonly CancellationReasons?: readonly CancellationReason[];
  readonly Item?: Fields;

  constructor(name: string, message: string, httpStatusCode: number, told: Fields = {}) {
    super(message.split('\n', 1)[0]);
    this.name = name;
    this.$metadata = { httpStatusCode };
    if (Array.isArray(told.CancellationReasons)) this.CancellationReasons = told.CancellationReasons;
    if (typeof told.Item === 'object' && told.Item !== null) this.Item = told.Item as Fields;
  }
}

/** Throws a DynamoError; UnreadableAnswer where the answer was damaged on its way, so that nobody knows what it said. */
export function readAnswer({ status, headers, body }: Exchanged): Fields {
  const checksum = headers['x-amz-crc32'];
  if (checksum !== undefined && Number(checksum) !== crc32(body))
    throw new DynamoError('UnreadableAnswer', 'the answer does not fit its checksum', status);
  const told = parse(body);
  if (status >= 200 && status < 300) {
    if (told === undefined) throw new DynamoError('UnreadableAnswer', 'the answer is not JSON', status);
    return told;
  }
  throw new DynamoError(
    nameOf(told?.__type ?? headers['x-amzn-errortype']),
    String(told?.message ?? told?.Message ?? `DynamoDB answered ${status}`),
    status,
    told,
  );
}

function parse(body: Buffer): Fields | undefined {
  try {
    const told: unknown = JSON.parse(body.toString());
    return typeof told === 'object' && told !== null ? (told as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** `com.amazonaws.dynamodb.v20120810#Name`, or `Name:http://…`. */
function nameOf(type: unknown): string {
  const name = typeof type === 'string' ? type.split('#').at(-1)?.split(':')[0] : undefined;
  return name || 'UnknownError';
}
