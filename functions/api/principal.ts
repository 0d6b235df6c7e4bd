// Who calls, and what their token is good for.

import { allScopes } from '../../shared/config/scopes.ts';
import type { TenantId } from '../../shared/domain/ids.ts';

export type Scope = (typeof allScopes)[number];

export function isScope(raw: string): raw is Scope {
  return allScopes.some((scope) => scope === raw);
}

export interface Principal {
  readonly tenantId: TenantId;
  /** Named in audit records. */
  readonly subject: string;
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * Undefined for a token that nobody gave out. `env` is what the edge was started with for this request: behind AWS's
 * JWT authorizer the claims are there, and the token itself was checked before.
 */
export type Authenticate = (bearer: string, env: unknown) => Principal | undefined | Promise<Principal | undefined>;
