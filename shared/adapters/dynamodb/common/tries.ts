// What is tried again, after which pause, and how often: as the SDK's standard mode does it for DynamoDB, which the
// simulation of a fleet builds on too (test/bench/fleet-client.test.ts).

import type { DynamoErrorShape } from './answering.ts';

type Failure = 'throttled' | 'failed' | 'final';

const throttles: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
const failures: ReadonlySet<unknown> = new Set([
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeoutException',
  'UnreadableAnswer',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  500,
  502,
  503,
  504,
]);

function failureOf(error: Error): Failure {
  const { name, code, message, $metadata = {} }: DynamoErrorShape & Error = error;
  if (throttles.has(name) || $metadata.httpStatusCode === 429) return 'throttled';
  const isLate = name === 'InvalidSignatureException' && message.includes('Signature expired');
  const again = isLate || $metadata.clockSkewCorrected === true;
  return again || [name, code, $metadata.httpStatusCode].some((told) => failures.has(told)) ? 'failed' : 'final';
}

/** What a client has for its repetitions: each costs some of it, and success brings it back. */
const quotaMax = 500;
const cost = { throttled: 5, failed: 14 } as const;
const pauseBaseMs = { throttled: 1_000, failed: 25 } as const;
const pauseMaxMs = 20_000;

/** Carries out `work` up to `maxAttempts` times, and notes in `done` or in the error how often it was. */
export type Tries = <T>(work: () => Promise<T>, done: (attempts: number) => void) => Promise<T>;

/** 2 unless told. */
export function createTries(maxAttempts = 2): Tries {
  let quota = quotaMax;
  return async (work, done) => {
    let regained = 1;
    for (let attempts = 1; ; attempts++) {
      try {
        const answer = await work();
        quota = Math.min(quotaMax, quota + regained);
        done(attempts);
        return answer;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const failure = failureOf(error);
        if (failure === 'final' || attempts >= maxAttempts || quota < cost[failure]) {
          const { $metadata }: DynamoErrorShape = error;
          throw Object.assign(error, {
            $metadata: { ...$metadata, attempts },
            ...(failure === 'final' ? {} : { $retryable: { throttling: failure === 'throttled' } }),
          });
        }
        regained = cost[failure];
        quota -= cost[failure];
        const atMostMs = Math.min(pauseBaseMs[failure] * 2 ** (attempts - 1), pauseMaxMs);
        await new Promise((resolve) => setTimeout(resolve, Math.floor(Math.random() * atMostMs)));
      }
    }
  };
}
