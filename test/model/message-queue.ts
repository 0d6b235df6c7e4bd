// The presence queue: at least once, in no order. A message that its handler did not finish comes again.

import type { SQSRecord } from 'aws-lambda';
import type { Ms } from '../../shared/domain/time.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAt: Ms;
  receives: number;
  /** The actor that has it in hand. */
  handler: number | undefined;
  /** A handler died over it. */
  lostHandler: boolean;
  copies: number;
}

export class MessageQueue {
  readonly messages: Message[] = [];
  /** Every message there ever was, to deliver all of them once more. */
  readonly sent: Message[] = [];

  send(body: object, sentAt: Ms): Message {
    const message: Message = {
      id: `m${this.sent.length + 1}`,
      body: JSON.stringify(body),
      sentAt,
      receives: 0,
      handler: undefined,
      lostHandler: false,
      copies: 0,
    };
    this.messages.push(message);
    this.sent.push(message);
    return message;
  }

  visible(): Message[] {
    return this.messages.filter((message) => message.handler === undefined);
  }

  receive(message: Message, handler: number): void {
    message.receives++;
    message.handler = handler;
  }

  release(message: Message): void {
    message.handler = undefined;
  }

  /** The queue will deliver it to somebody else as well. */
  duplicate(message: Message): void {
    message.copies++;
    this.messages.push({ ...message, id: `${message.id}'`, handler: undefined });
  }

  remove(message: Message): void {
    const at = this.messages.indexOf(message);
    if (at >= 0) this.messages.splice(at, 1);
  }
}

/** As SQS hands it to the presence function. */
export function toRecord(message: Message): SQSRecord {
  return {
    messageId: message.id,
    receiptHandle: message.id,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sentAt),
      SenderId: 'broker',
      ApproximateFirstReceiveTimestamp: String(message.sentAt),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:presence',
    awsRegion: 'eu-west-1',
  };
}
