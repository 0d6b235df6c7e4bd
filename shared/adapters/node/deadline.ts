// The bounds on one CONNECT. What is not decided in time is answered as unavailable; if it is decided later all the same,
// nobody connects on it, and its lease gives the place back (S17, S12).

import type { Connect } from '../../domain/connect.ts';
import { StoreUnavailable } from '../../ports/errors.ts';

export function withDeadline(connect: Connect, budgetMs: number): Connect {
  return async (request) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Awaited<ReturnType<Connect>>>((resolve) => {
      timer = setTimeout(() => resolve({ kind: 'rejected', reason: 'unavailable', detail: 'out of time' }), budgetMs);
    });
    try {
      return await Promise.race([connect(request), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The bound on one question that a CONNECT waits for. Throws StoreUnavailable where the answer does not come in time. */
export function askedWithin<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  budgetMs: number,
): (question: Question) => Promise<Answer> {
  return async (question) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new StoreUnavailable(new Error('out of time'))), budgetMs);
    });
    try {
      return await Promise.race([ask(question), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
