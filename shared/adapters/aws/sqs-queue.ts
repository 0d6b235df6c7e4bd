// The presence queue on AWS, for those who put something there by themselves.

import type { DoorReport, PresenceQueue } from '../../ports/presence/presence.ts';
import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { callService } from './signed-request.ts';

/** A client waits for it while its CONNECT's time runs. */
const timeoutMs = 800;

export interface SqsQueue extends PresenceQueue {
  /** Puts what the front door has to tell; throws as `put` does. */
  report(report: DoorReport): Promise<void>;
  /** Puts a message back as it came, to be delivered after the delay (0 to 900). Throws as `put` does. */
  putBack(body: string, delaySeconds: number): Promise<void>;
}

/** `region`: the queue's. A try whose outcome is unknown is not repeated here: a message may come twice, but who waits waits. */
export function createSqsQueue(
  queueUrl: string,
  region: string,
  credentials: () => Promise<LambdaCredentials> = async () => readLambdaCredentials(),
): SqsQueue {
  const send = async (body: string, delaySeconds: number): Promise<void> => {
    const input = { QueueUrl: queueUrl, MessageBody: body, DelaySeconds: delaySeconds };
    const endpoint = new URL(queueUrl).origin;
    const call = {
      service: 'sqs',
      region,
      endpoint,
      target: 'AmazonSQS.SendMessage',
      jsonVersion: '1.0',
      input,
    } as const;
    await callService(call, await credentials(), timeoutMs);
  };
  return {
    put: (message) => send(JSON.stringify(message), 0),
    report: (report) => send(JSON.stringify(report), 0),
    putBack: send,
  };
}
