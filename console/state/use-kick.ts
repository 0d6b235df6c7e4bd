// Kicks, told of where everybody sees it: disconnecting all of a username goes on after the page has been left.

import type { ApiClient } from '../client/client.ts';
import type { Operation } from '../client/types.ts';
import { useSession } from '../session/use-session.ts';
import { type Notice, useNotices } from './notices.tsx';
import { problemOf } from './problems.ts';

const askEveryMs = 700;
/** So many questions without an answer end the watching, not the work. */
const patience = 10;

async function watch(client: ApiClient, operationId: string, tell: (operation: Operation) => void): Promise<Operation> {
  let unanswered = 0;
  for (;;) {
    try {
      const operation = await client.getOperation(operationId);
      unanswered = 0;
      tell(operation);
      if (operation.status !== 'running') return operation;
    } catch (error) {
      unanswered += 1;
      const { status } = problemOf(error);
      if (unanswered >= patience || (status >= 400 && status < 500)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}

function progressOf({ total, finished }: Operation): NonNullable<Notice['progress']> {
  return total === undefined || total === 0
    ? { percent: undefined, detail: `${finished} so far` }
    : { percent: Math.min(100, (100 * finished) / total), detail: `${finished} of ${total}` };
}

/** Follows an operation in the notices. Resolves when it has ended, well or not. */
export function useFollowOperation() {
  const { client } = useSession();
  const { tell } = useNotices();
  return async (operationId: string, words: { running: string; done: string; failed: string }): Promise<void> => {
    const id = `operation ${operationId}`;
    const begun: Operation = { status: 'running', finished: 0, startedAt: '' };
    const show = (operation: Operation): void =>
      tell({ id, kind: 'info', text: words.running, progress: progressOf(operation) });
    show(begun);
    try {
      const { status, finished } = await watch(client, operationId, show);
      if (status === 'done') tell({ id, kind: 'success', text: `${words.done} (${finished})` });
      else tell({ id, kind: 'error', text: words.failed });
    } catch (error) {
      const { message } = problemOf(error);
      tell({ id, kind: 'warning', text: `${words.running}: how far it is cannot be seen now. ${message}` });
    }
  };
}
