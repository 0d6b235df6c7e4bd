// The way to the database: how long one call may take, how often it is tried, and which of its failures mean "cannot
// answer". Everything else the SDK throws is a mistake of ours and passes through.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Measure } from '../../../ports/common/metrics.ts';
import { sendQuickly } from './quick-send.ts';

export interface ClientOptions {
  /** A local engine. Absent: AWS, with the credentials of the environment. */
  readonly endpoint?: string;
  readonly region?: string;
  /** The whole of one try, the wait for a free socket included. */
  readonly requestTimeoutMs: number;
  /** Tries of one call, the first included; 2 unless told. */
  readonly maxAttempts?: number;
  /** Calls that travel at the same time; the rest queue inside the process. 64 unless told. */
  readonly maxSockets?: number;
  /** Takes note of calls that did not go through at their first try. */
  readonly measure?: Measure;
}

export function createDocumentClient(options: ClientOptions): DynamoDBDocumentClient {
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 64 };
  const client = new DynamoDBClient({
    maxAttempts: options.maxAttempts ?? 2,
    requestHandler: {
      // On one machine a burst waits for processor time, not for a network that may be gone.
      connectionTimeout:
        options.endpoint === undefined ? Math.min(1_000, options.requestTimeoutMs) : options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Without it the SDK only logs that a call takes too long, and goes on waiting.
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(options.region === undefined ? {} : { region: options.region }),
    // A local engine takes any signature, but the SDK signs only with something.
    ...(options.endpoint === undefined
      ? {}
      : {
          endpoint: options.endpoint,
          region: options.region ?? 'local',
          credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        }),
  });
  if (options.measure !== undefined) measureTries(client, options.measure);
  // It makes a copy of every request and answer without what is secret, also where nobody logs.
  client.middlewareStack.remove('loggerMiddleware');
  const document = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  sendQuickly(document, client);
  return document;
}

/** Around the SDK's own tries, which it counts in the answer and in the error alike. */
function measureTries(client: DynamoDBClient, measure: Measure): void {
  const note = (told: { readonly $metadata?: { readonly attempts?: number } }): void => {
    const tries = told.$metadata?.attempts ?? 1;
    if (tries > 1) measure({ Retries: tries - 1 });
  };
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        const answer = await next(args);
        note(answer.output);
        return answer;
      } catch (error) {
        if (error instanceof Error) {
          const shape: SdkErrorShape = error;
          note(shape);
          if (metAnother(shape)) measure({ Conflicts: 1 });
        }
        throw error;
      }
    },
    { step: 'initialize', priority: 'high', name: 'measureTries' },
  );
}

function metAnother({ name, CancellationReasons = [] }: SdkErrorShape): boolean {
  return (
    name === 'TransactionConflictException' || CancellationReasons.some(({ Code }) => Code === 'TransactionConflict')
  );
}

const unavailableNames: ReadonlySet<string> = new Set([
  'AbortError',
  'InternalServerError',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

const unavailableSystemCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

const unavailableReasons: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

interface SdkErrorShape {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $retryable?: { readonly throttling?: boolean };
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly statusCode?: number };
  readonly CancellationReasons?: readonly { readonly Code?: string }[];
}

/**
 * A transaction that only met others, or a throttle, has answered nothing. One failed condition among its reasons is
 * an answer, and stays the caller's to read.
 */
function onlyMetOthers(reasons: readonly { readonly Code?: string }[]): boolean {
  const codes = reasons.map((reason) => reason.Code ?? 'None').filter((code) => code !== 'None');
  return codes.length > 0 && codes.every((code) => unavailableReasons.has(code));
}

/** Whether an error says that the database could not answer in time. */
export function meansUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const shape: SdkErrorShape = error;
  if (shape.CancellationReasons !== undefined) return onlyMetOthers(shape.CancellationReasons);
  const status = shape.$metadata?.httpStatusCode ?? shape.$response?.statusCode ?? 0;
  return (
    unavailableNames.has(error.name) ||
    (typeof shape.code === 'string' && unavailableSystemCodes.has(shape.code)) ||
    shape.$retryable?.throttling === true ||
    status >= 500
  );
}

function translateError(error: unknown): never {
  if (error instanceof StoreUnavailable) throw error;
  throw meansUnavailable(error) ? new StoreUnavailable(error) : error;
}

/** Runs what talks to the database; throws StoreUnavailable where it does not answer in time. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return translateError(error);
  }
}
