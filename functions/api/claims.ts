// Who calls, on AWS: API Gateway's JWT authorizer has checked the token, and hands its claims on.

import { parseTenantId } from '../../shared/domain/ids.ts';
import { isScope, type Principal } from './principal.ts';

const tenantGroup = 'tenant:';

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** A list in a claim: API Gateway writes it as `[a b]`. */
function listOf(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.filter((entry) => typeof entry === 'string');
  if (typeof claim !== 'string') return [];
  return claim
    .replace(/^\[(.*)\]$/, '$1')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
}

/**
 * A person's tenant is a Cognito group, `tenant:<tenantId>`: only the operator puts somebody into one, and nobody is in
 * two. A custom scope of Cognito is `<resource server>/<scope>`. Ids pass as tokens with API Gateway, but not here.
 */
export function principalOfClaims(env: unknown): Principal | undefined {
  const path = ['event', 'requestContext', 'authorizer', 'jwt', 'claims'];
  const claims = path.reduce<unknown>(property, env);
  const subject = property(claims, 'sub');
  if (property(claims, 'token_use') !== 'access' || typeof subject !== 'string' || subject === '') return undefined;
  const groups = listOf(property(claims, 'cognito:groups')).filter((group) => group.startsWith(tenantGroup));
  const [group] = groups;
  if (group === undefined || groups.length > 1) return undefined;
  const tenantId = parseTenantId(group.slice(tenantGroup.length));
  if (!tenantId.ok) return undefined;
  const scopes = listOf(property(claims, 'scope')).map((scope) => scope.slice(scope.lastIndexOf('/') + 1));
  return { tenantId: tenantId.value, subject, scopes: new Set(scopes.filter(isScope)) };
}
