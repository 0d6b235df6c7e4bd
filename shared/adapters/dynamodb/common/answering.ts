// Which failures of the database mean that it cannot answer. Everything else that a client throws is a mistake of ours and
// passes through.

import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Measure } from '../../../ports/common/metrics.ts';
import type { Fields } from './item-places.ts';

/** Takes note of a call that did not go through at its first try. */
export function measureTries(measure: Measure | undefined, attempts = 1): void {
  if (attempts > 1) measure?.({ Retries: attempts - 1 });
}

/** The same of a call that failed, and whether it met another. */
export function measureFailure(measure: Measure | undefined, error: unknown): void {
  if (!(error instanceof Error)) return;
  const { name, $metadata, CancellationReasons = [] }: DynamoErrorShape = error;
  measureTries(measure, $metadata?.attempts);
  const metAnother =
    name === 'TransactionConflictException' || CancellationReasons.some(({ Code }) => Code === 'TransactionConflict');
  if (metAnother) measure?.({ Conflicts: 1 });
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
  'UnreadableAnswer',
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

export interface CancellationReason {
  readonly Code?: string;
  /** What refused, as attribute values; where the write asked for it and there is one. */
  readonly Item?: Fields;
}

/** What an error of either client may hold: the names are the SDK's. */
export interface DynamoErrorShape {
  readonly name?: string;
  readonly code?: unknown;
  readonly $retryable?: { readonly throttling?: boolean };
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly attempts?: number;
    /** The request was signed by a clock that is right by now. */
    readonly clockSkewCorrected?: boolean;
  };
  readonly $response?: { readonly statusCode?: number };
  readonly CancellationReasons?: readonly CancellationReason[];
  /** Of a failed condition, as attribute values; where the write asked for it and there is one. */
  readonly Item?: Fields;
}

/** Whether DynamoDB answered with the error of this name. */
export function isNamed(error: unknown, name: string): error is Error & DynamoErrorShape {
  return error instanceof Error && error.name === name;
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
  const shape: DynamoErrorShape = error;
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
