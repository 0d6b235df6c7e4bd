import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { PresenceQueue } from '../../ports/presence.ts';

/** The presence queue on SQS. A message is safe when `send` resolves; it throws where SQS does not answer. */
export function createSqsPresenceQueue(queueUrl: string): PresenceQueue {
  const client = new SQSClient({});
  return {
    async send(message, options) {
      const body = message.source === 'door' ? message.report : message.event;
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(body),
          DelaySeconds: options?.delaySeconds ?? 0,
        }),
      );
    },
  };
}
