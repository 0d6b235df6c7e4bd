// The queue of operations on AWS.

import type { OperationQueue } from '../../ports/operations/operations.ts';
import { createSqsQueue } from './sqs-queue.ts';

export function createOperationQueue(queueUrl: string, region: string): OperationQueue {
  const queue = createSqsQueue(queueUrl, region);
  return { send: (message, { delaySeconds = 0 } = {}) => queue.putBack(JSON.stringify(message), delaySeconds) };
}
