import { ApiProblem } from '../client/problem.ts';

/** Whatever was thrown, as something that can be shown. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ status: 0, code: 'console.failed', detail, cause: error });
}
