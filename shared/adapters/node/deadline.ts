// The bound on one CONNECT. What is not decided in time is answered as unavailable; if it is decided later all the same,
// nobody connects on it, and its lease gives the place back (S17, S12).

import type { Connect } from '../../domain/connect.ts';

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
