// What the outcomes of settings writes are in HTTP.

import type { MissingIssuer } from '../../shared/ports/credentials/token-issuer.ts';
import type { Missing, Stale } from '../../shared/ports/settings/settings.ts';
import { type Answer, deploymentNotFound, noContent, problem } from './answer.ts';

export const stale = problem(412, 'precondition.failed', 'It has changed since you read it. Read it again.');

export const isDone = ({ kind }: { readonly kind: string }): boolean => kind === 'done';

export function missing({ what }: Missing | MissingIssuer): Answer {
  switch (what) {
    case 'deployment':
      return deploymentNotFound;
    case 'session_limit':
      return problem(404, 'session_limit.not_configured', 'No session limit is configured for this deployment.');
    case 'token_issuer':
      return problem(404, 'token_issuer.not_configured', 'This deployment takes no signed tokens.');
    case 'override':
      return problem(404, 'override.not_found', 'This username has no override.');
  }
}

/** What a settings delete came to. */
export function removed(outcome: { readonly kind: 'done' } | Missing | MissingIssuer | Stale): Answer {
  if (outcome.kind === 'missing') return missing(outcome);
  return outcome.kind === 'stale' ? stale : noContent;
}
