// An SQS queue as somebody who writes to it sees it: one request, in SQS's JSON protocol.

import { type Credentials, signedHeaders } from './signature.ts';

export interface QueueOptions {
  readonly queueUrl: string;
  readonly region: string;
  /** Asked each time: they change while a process lives. An SDK client's own `config.credentials` is one. */
  readonly credentials: () => Promise<Credentials>;
  /** For one try. */
  readonly timeoutMs: number;
}

/** Resolves when the message is in the queue, `message` as JSON. Rejects where that is not known: it may be all the same. */
export type SendToQueue = (message: object, options?: { readonly delaySeconds?: number }) => Promise<void>;

export function createQueueSender({ queueUrl, region, credentials, timeoutMs }: QueueOptions): SendToQueue {
  const url = new URL('/', queueUrl);
  return async (message, options = {}) => {
    const body = JSON.stringify({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify(message),
      ...(options.delaySeconds === undefined ? {} : { DelaySeconds: options.delaySeconds }),
    });
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' };
    const scope = { region, service: 'sqs' };
    const signed = signedHeaders({ method: 'POST', url, headers, body }, scope, await credentials(), new Date());
    const answer = await fetch(url, {
      method: 'POST',
      headers: signed,
      body,
      signal: AbortSignal.timeout(timeoutMs),
      // A queue that sends somebody elsewhere is not ours.
      redirect: 'error',
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`SQS refused a message: ${answer.status} ${errorType(text)}`);
  };
}

/** SQS names what is wrong; the rest of its answer may repeat the message, and that belongs in no log. */
function errorType(text: string): string {
  return /"__type":"([\w.#]+)"/.exec(text)?.[1] ?? '';
}
