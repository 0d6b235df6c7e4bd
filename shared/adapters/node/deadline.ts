// The bounds on one CONNECT. What is not decided in time is answered as unavailable; if it is decided later all the same,
// nobody connects on it, and its lease gives the place back (S17, S12).

import type { Connect } from '../../domain/connect.ts';
import type { Schedule } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import { realSchedule } from './clock.ts';

/** A CONNECT that is out of time leaves its queues as if its client had left: nothing connects on its answer. */
export function withDeadline(connect: Connect, budgetMs: number, schedule: Schedule = realSchedule): Connect {
  return async (request) => {
    let cancel = (): void => undefined;
    const over = new AbortController();
    const leave = (): void => over.abort();
    if (request.left?.aborted === true) leave();
    request.left?.addEventListener('abort', leave);
    const late = new Promise<Awaited<ReturnType<Connect>>>((resolve) => {
      const refuse = () => {
        resolve({ kind: 'rejected', reason: 'unavailable', detail: 'out of time' });
        leave();
      };
      cancel = schedule(refuse, budgetMs);
    });
    try {
      return await Promise.race([connect({ ...request, left: over.signal }), late]);
    } finally {
      cancel();
      request.left?.removeEventListener('abort', leave);
    }
  };
}

/** The bound on one question that a CONNECT waits for. Throws StoreUnavailable where the answer does not come in time. */
export function askedWithin<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  budgetMs: number,
): (question: Question) => Promise<Answer> {
  return async (question) => {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = realSchedule(() => reject(new StoreUnavailable(new Error('out of time'))), budgetMs);
    });
    try {
      return await Promise.race([ask(question), late]);
    } finally {
      cancel();
    }
  };
}
