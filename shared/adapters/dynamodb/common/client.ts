// The way to the database of every process that a client waits for, and of presence: signed requests over connections that
// are kept, made here. The SDK's document client takes four times the processor's time for each
// (docs/adr/0010-requests-without-the-sdk.md). What nobody waits for at a broker goes through `sdk-client.ts`.

import { randomUUID } from 'node:crypto';
import type { Measure } from '../../../ports/common/metrics.ts';
import { type LambdaCredentials, readLambdaCredentials } from '../../aws/lambda-credentials.ts';
import { signHeaders } from '../../aws/signed-request.ts';
import { readAnswer } from './answer.ts';
import { type DynamoErrorShape, measureFailure, measureTries } from './answering.ts';
import { fromItem, toItem } from './attribute-values.ts';
import type { Command, DocumentClient, Operation } from './commands.ts';
import { type Endpoint, type EndpointOptions, findEndpoint } from './endpoint.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { convertItems, type Fields, itemPlaces } from './item-places.ts';
import { createTries } from './tries.ts';

/** `endpoint`: a local engine. Absent: AWS. */
export interface ClientOptions extends EndpointOptions {
  /** The whole of one try, the wait for a free socket included. */
  readonly requestTimeoutMs: number;
  /** Tries of one call, the first included; 2 unless told. */
  readonly maxAttempts?: number;
  /** Calls that travel at the same time; the rest queue inside the process. 64 unless told. */
  readonly maxSockets?: number;
  /** Takes note of calls that did not go through at their first try. */
  readonly measure?: Measure;
}

export interface DirectOptions extends ClientOptions {
  /** Asked at each request, so it must remember them; those of a Lambda function unless told. */
  readonly credentials?: () => Promise<LambdaCredentials>;
  /** The endpoint looks at no signature, and none is computed. */
  readonly unsigned?: boolean;
}

/** A local engine takes any signature, but wants one. */
const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const unsigned = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=none',
  'x-amz-date': '20260101T000000Z',
};
/** On one machine a burst waits for processor time, not for a network that may be gone. */
const connectTimeoutMs = 1_000;

export interface DirectClient extends DocumentClient {
  destroy(): void;
}

export function createDocumentClient(options: DirectOptions): DirectClient {
  const { measure, requestTimeoutMs: timeoutMs, maxSockets = 64 } = options;
  const isLocal = options.endpoint !== undefined;
  const credentials = isLocal ? async () => localCredentials : (options.credentials ?? lambdaCredentials);
  const tries = createTries(options.maxAttempts);
  let way: (Endpoint & { readonly exchange: Exchange }) | undefined;
  /** How far the clock of AWS is ahead of this machine's. */
  let aheadMs = 0;

  function open() {
    const endpoint = findEndpoint(options);
    const connecting = isLocal ? timeoutMs : connectTimeoutMs;
    return {
      ...endpoint,
      exchange: createExchange({ url: endpoint.url, maxSockets, timeoutMs, connectTimeoutMs: connecting }),
    };
  }

  async function tryOnce(operation: Operation, body: string): Promise<Fields> {
    way ??= open();
    const headers = {
      host: way.url.host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    };
    const now = Date.now() + aheadMs;
    const signed =
      options.unsigned === true
        ? { ...headers, ...unsigned }
        : signHeaders(
            { service: 'dynamodb', region: way.region, path: way.url.pathname },
            headers,
            body,
            await credentials(),
            new Date(now),
          );
    const answer = await way.exchange.post(signed, body);
    try {
      return readAnswer(answer);
    } catch (error) {
      const told = Date.parse(answer.headers.date ?? '');
      if (!isUntimely(error) || !(Math.abs(told - now) >= skewMinMs)) throw error;
      aheadMs = told - Date.now();
      const { $metadata }: DynamoErrorShape = error;
      throw Object.assign(error, { $metadata: { ...$metadata, clockSkewCorrected: true } });
    }
  }

  async function send<Output>({ operation, input }: Command<object, Output>): Promise<Output> {
    const places = itemPlaces[operation];
    // Made once for all tries: a transaction whose outcome is unknown is not done twice.
    const fields = convertItems(input, places.input, toItem) as Fields;
    if (operation === 'TransactWriteItems') fields.ClientRequestToken ??= randomUUID();
    const body = JSON.stringify(fields);
    try {
      const answer = await tries(
        () => tryOnce(operation, body),
        (attempts) => measureTries(measure, attempts),
      );
      // No type says so of what comes over a network.
      return convertItems(answer, places.output, fromItem) as Output;
    } catch (error) {
      measureFailure(measure, error);
      throw error;
    }
  }
  return { send, destroy: () => way?.exchange.destroy() };
}

const lambdaCredentials = async (): Promise<LambdaCredentials> => readLambdaCredentials();

const untimely: ReadonlySet<string> = new Set([
  'AuthFailure',
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);
/** AWS takes a signature for 5 minutes: with less between the clocks, something else was wrong with it. */
const skewMinMs = 240_000;

function isUntimely(error: unknown): error is Error {
  return error instanceof Error && untimely.has(error.name);
}
