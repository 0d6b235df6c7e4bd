// Answers CloudFormation for a custom resource of this product. CloudFormation invokes the function once for each
// change, and waits for a PUT to a presigned URL. Without an answer a stack waits for up to an hour.
// [AWS: Custom resource request objects, Custom resource response objects]

import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda';
import type { Log } from '../../ports/common/log.ts';

/** Properties as CloudFormation sends them: it turns each number and boolean into text, at any depth. */
type Properties = Readonly<Record<string, unknown>>;

export interface CustomResourceRequest {
  /** Never Delete: nothing of ours lies outside the stack, so the answer to a Delete needs no work. */
  readonly requestType: 'Create' | 'Update';
  readonly properties: Properties;
  /** Those of the last successful change. Empty at Create. A rollback sends an Update too, with the two exchanged. */
  readonly oldProperties: Properties;
}

export interface CustomResourceResult {
  /** What `Fn::GetAtt` reads, in at most about 3 KB. Never a secret: CloudFormation shows it. */
  readonly data?: Readonly<Record<string, string>>;
  /** Another one than before makes CloudFormation delete the old resource. Absent: it stays the same for good. */
  readonly physicalResourceId?: string;
}

/** May run twice for one change, since Lambda retries an invocation that ended without an answer. */
export type CustomResourceWork = (request: CustomResourceRequest) => Promise<CustomResourceResult>;

/** Fails the change with a message that the operator reads. The message never holds a secret. */
export class CustomResourceRefusal extends Error {}

export interface CustomResourceOptions {
  /** Gets what went wrong in full; the answer carries the message of a CustomResourceRefusal only. */
  readonly log?: Log;
  /** Bound on the work, 25 s unless given. The function's own timeout must be 30 s longer: the answer takes as much. */
  readonly workMs?: number;
}

const defaultWorkMs = 25_000;
const tries = 3;
/** Bound on one try to deliver the answer. */
const answerMs = 10_000;
/** CloudFormation takes a response of 4,096 bytes. Fields that it gave itself take about 500 of them. */
const maxResponseBytes = 4_096;
const maxReasonLength = 2_000;

/**
 * Does the work, and answers CloudFormation in any case: also where the work throws, or does not end in time. A Delete
 * always succeeds. Throws only where the answer itself cannot be delivered, so that Lambda invokes the function again.
 */
export async function answerCustomResource(
  event: CloudFormationCustomResourceEvent,
  work: CustomResourceWork,
  options: CustomResourceOptions = {},
): Promise<void> {
  // The response URL is presigned: it is in no log and in no error.
  await deliver(event.ResponseURL, await respond(event, work, options));
}

async function respond(
  event: CloudFormationCustomResourceEvent,
  work: CustomResourceWork,
  { log, workMs = defaultWorkMs }: CustomResourceOptions,
): Promise<string> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const known = event.RequestType === 'Create' ? `${StackId}/${LogicalResourceId}` : event.PhysicalResourceId;
  const same = { StackId, RequestId, LogicalResourceId };
  if (event.RequestType === 'Delete') return write({ ...same, Status: 'SUCCESS', PhysicalResourceId: known });
  try {
    const { data, physicalResourceId = known } = await inTime(work(requestOf(event)), workMs);
    const response = write({ ...same, Status: 'SUCCESS', PhysicalResourceId: physicalResourceId, Data: data });
    if (Buffer.byteLength(response) > maxResponseBytes) throw new Error('the result is longer than a response may be');
    return response;
  } catch (error) {
    log?.error('a custom resource failed', { resource: LogicalResourceId, error: String(error) });
    // A failed change keeps its id: another one would have CloudFormation delete what was there before.
    return write({ ...same, Status: 'FAILED', PhysicalResourceId: known, Reason: reasonOf(error) });
  }
}

type Changing = Exclude<CloudFormationCustomResourceEvent, { readonly RequestType: 'Delete' }>;

function requestOf(event: Changing): CustomResourceRequest {
  return {
    requestType: event.RequestType,
    properties: event.ResourceProperties,
    oldProperties: event.RequestType === 'Update' ? event.OldResourceProperties : {},
  };
}

const write = (response: CloudFormationCustomResourceResponse): string => JSON.stringify(response);

/** Other errors may quote what they were given, so only their kind is told. */
function reasonOf(error: unknown): string {
  if (error instanceof CustomResourceRefusal) return shorten(error.message);
  const kind = error instanceof Error ? error.name : 'unknown error';
  const { AWS_LAMBDA_LOG_GROUP_NAME: group = 'of the function' } = process.env;
  return `The function failed (${kind}). Its log has the cause: ${group}`;
}

/** By bytes as JSON writes them, and never through the middle of a character. */
function shorten(text: string): string {
  const bytes = (part: string): number => Buffer.byteLength(JSON.stringify(part));
  if (bytes(text) <= maxReasonLength) return text;
  const characters = [...text.slice(0, maxReasonLength)];
  while (bytes(characters.join('')) > maxReasonLength - 8) characters.length = Math.floor(characters.length * 0.95);
  return `${characters.join('')} …`;
}

async function inTime<Result>(working: Promise<Result>, workMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CustomResourceRefusal(`The work took more than ${workMs} ms.`)), workMs);
  });
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function deliver(url: string, body: string): Promise<void> {
  for (let left = tries; ; left -= 1) {
    const failed = await put(url, body);
    if (failed === undefined) return;
    if (left === 1) throw new Error(`CloudFormation did not take the answer: ${failed}`);
  }
}

/** Undefined once the answer has arrived, else why it has not. */
async function put(url: string, body: string): Promise<string | undefined> {
  try {
    const { status } = await fetch(url, {
      method: 'PUT',
      // The URL is signed for an empty content type.
      headers: { 'content-type': '' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    });
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown error';
  }
}
