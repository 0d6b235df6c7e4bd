// What went wrong, in words a person can act on, with a way to try again.

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import { type ApiProblem, isNotOffered } from '../client/problem.ts';

function headingOf(problem: ApiProblem, what: string): string {
  if (isNotOffered(problem)) return `Not available here: this server does not offer ${what}`;
  if (problem.status === 401) return 'Your sign-in has expired';
  if (problem.status === 403) return `You have no permission for ${what}`;
  return `Something went wrong with ${what}`;
}

export function ProblemAlert(given: {
  readonly problem: ApiProblem | undefined;
  /** What was asked for, as it stands in a sentence: `the session limit`. */
  readonly what: string;
  readonly onRetry?: (() => void) | undefined;
}) {
  const { problem, what, onRetry } = given;
  if (problem === undefined) return null;
  const retry = onRetry !== undefined && !isNotOffered(problem) && problem.status !== 403;
  return (
    <div role="alert">
      <Alert
        type={problem.status === 403 || isNotOffered(problem) ? 'info' : 'error'}
        header={headingOf(problem, what)}
        {...(retry
          ? {
              action: (
                <Button formAction="none" onClick={onRetry}>
                  Try again
                </Button>
              ),
            }
          : {})}
      >
        {problem.message}
        {problem.faults.length > 0 && (
          <ul>
            {problem.faults.map((fault) => (
              <li key={`${fault.in} ${fault.name} ${fault.detail}`}>
                {fault.name === '' ? fault.in : fault.name}: {fault.detail}
              </li>
            ))}
          </ul>
        )}
        {problem.requestId !== undefined && (
          <Box variant="small" color="inherit" display="block">
            Request {problem.requestId}
          </Box>
        )}
      </Alert>
    </div>
  );
}
