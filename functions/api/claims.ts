// Who calls, on AWS: API Gateway's JWT authorizer has checked the token, and hands its claims on.

import { resourceServer } from '../../shared/config/scopes.ts';
import { parseTenantId, type TenantId } from '../../shared/domain/ids.ts';
import type { MachineTenants } from '../../shared/ports/machines.ts';
import { type Authenticate, isScope } from './principal.ts';

const tenantGroup = 'tenant:';
const ours = `${resourceServer}/`;

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * A list in a claim: API Gateway writes it as `[a b]`. Names of Cognito groups hold no white space, but may hold commas:
 * split at those, a group `x,tenant:acme` would be a member of `acme`. [AWS: GroupName, [\p{L}\p{M}\p{S}\p{N}\p{P}]+]
 */
function listOf(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.filter((entry) => typeof entry === 'string');
  if (typeof claim !== 'string') return [];
  return claim
    .replace(/^\[(.*)\]$/, '$1')
    .split(/\s+/)
    .filter((entry) => entry !== '');
}

/**
 * A person's tenant is a Cognito group, `tenant:<tenantId>`: only the operator puts somebody into one, and nobody is in
 * two. A machine has no groups: its token is about its app client, and whose that is says an item that only the operator
 * writes. A custom scope of Cognito is `<resource server>/<scope>`. Ids pass as tokens with API Gateway, but not here.
 */
export function createClaimsAuthenticate(machines: MachineTenants): Authenticate {
  return async (_bearer, env) => {
    const path = ['event', 'requestContext', 'authorizer', 'jwt', 'claims'];
    const claims = path.reduce<unknown>(property, env);
    const subject = property(claims, 'sub');
    if (property(claims, 'token_use') !== 'access' || typeof subject !== 'string' || subject === '') return undefined;
    // A token that an app client got for itself is about nobody but that client; the subject of a person is another.
    const isMachine = property(claims, 'client_id') === subject;
    const tenantId = isMachine ? await machines.tenantOf(subject) : tenantOfGroups(property(claims, 'cognito:groups'));
    if (tenantId === undefined) return undefined;
    const scopes = listOf(property(claims, 'scope')).filter((scope) => scope.startsWith(ours));
    return { tenantId, subject, scopes: new Set(scopes.map((scope) => scope.slice(ours.length)).filter(isScope)) };
  };
}

function tenantOfGroups(claim: unknown): TenantId | undefined {
  const groups = listOf(claim).filter((group) => group.startsWith(tenantGroup));
  const [group] = groups;
  if (group === undefined || groups.length > 1) return undefined;
  const tenantId = parseTenantId(group.slice(tenantGroup.length));
  return tenantId.ok ? tenantId.value : undefined;
}
