// Who calls, and what their token is good for.

import { allScopes } from '../../shared/config/scopes.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import type { Deployment } from '../../shared/ports/settings/settings.ts';

export type Scope = (typeof allScopes)[number];

export function isScope(raw: string): raw is Scope {
  return allScopes.some((scope) => scope === raw);
}

export interface Principal {
  readonly tenantId: TenantId;
  /** The same for each token of a person or a machine, and nobody else's in the tenant. */
  readonly subject: string;
  /** Named in audit records: the person, or the name of the token. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** What an operation says of whom it is for. */
export function startedFor({ subject }: Principal, { deploymentId, tenantId }: Deployment) {
  return { deploymentId, tenantId, startedBy: subject };
}

/**
 * Undefined for a token that nobody gave out. `env` is what the edge was started with for this request: behind AWS's
 * JWT authorizer the claims are there, and the token itself was checked before.
 */
export type Authenticate = (bearer: string, env: unknown) => Principal | undefined | Promise<Principal | undefined>;
