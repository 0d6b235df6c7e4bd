// Requests to refresh a rank go through the presence queue: whoever changes counts reads it anyway.

import type { RankMessages } from '../../ports/usage/ranks.ts';
import type { SqsQueue } from './sqs-queue.ts';

export function rankMessages(queue: SqsQueue): RankMessages {
  return { send: (message, delaySeconds) => queue.putBack(JSON.stringify(message), delaySeconds) };
}
