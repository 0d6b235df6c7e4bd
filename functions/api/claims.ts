// Who calls, on AWS: API Gateway's JWT authorizer has checked the token, and hands its claims on.

import { resourceServer, scopesOfRole } from '../../shared/config/scopes.ts';
import { parseTenantId, type TenantId } from '../../shared/domain/ids.ts';
import type { MachineTenants } from '../../shared/ports/tenancy/machines.ts';
import { type Authenticate, isScope, type Scope } from './principal.ts';

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

/** Whose tenant a caller belongs to, and which scopes count there; the token must have them as well. */
interface Membership {
  readonly tenantId: TenantId;
  readonly may: (scope: Scope) => boolean;
}

/**
 * A person's tenant and role are a Cognito group, `tenant:<tenantId>:<role>`, which only the operator of the installation
 * assigns. Cognito gives every scope of the console to every person who signs in, so the role decides which of them count.
 * A machine has no groups: its token is about its app client, and an item that only the operator writes names the tenant.
 * A custom scope of Cognito is `<resource server>/<scope>`. Ids pass as tokens with API Gateway, but not here.
 */
export function createClaimsAuthenticate(machines: MachineTenants): Authenticate {
  return async (_bearer, env) => {
    const path = ['event', 'requestContext', 'authorizer', 'jwt', 'claims'];
    const claims = path.reduce<unknown>(property, env);
    const subject = property(claims, 'sub');
    if (property(claims, 'token_use') !== 'access' || typeof subject !== 'string' || subject === '') return undefined;
    // A token that an app client got for itself is about nobody but that client; the subject of a person is another.
    const isMachine = property(claims, 'client_id') === subject;
    const membership = isMachine
      ? membershipOfMachine(await machines.tenantOf(subject))
      : membershipOfGroups(property(claims, 'cognito:groups'));
    if (membership === undefined) return undefined;
    const named = listOf(property(claims, 'scope')).filter((scope) => scope.startsWith(ours));
    const scopes = named.map((scope) => scope.slice(ours.length)).filter(isScope);
    const actor = isMachine ? subject : personOf(claims, subject);
    return { tenantId: membership.tenantId, subject, actor, scopes: new Set(scopes.filter(membership.may)) };
  };
}

/** How people know each other. Cognito puts `username` into access tokens; `email`, where the operator adds it. */
function personOf(claims: unknown, subject: string): string {
  const named = ['email', 'username'].map((name) => property(claims, name));
  return named.find((name): name is string => typeof name === 'string' && name !== '') ?? subject;
}

function membershipOfMachine(tenantId: TenantId | undefined): Membership | undefined {
  return tenantId && { tenantId, may: () => true };
}

type Role = keyof typeof scopesOfRole;

function isRole(raw: string): raw is Role {
  return Object.hasOwn(scopesOfRole, raw);
}

/** A group without a role makes an administrator; one whose role is unknown counts as no group. */
function parseGroup(group: string): readonly { readonly tenant: string; readonly role: Role }[] {
  const [, tenant = '', ...rest] = group.split(':');
  const role = rest.length === 0 ? 'admin' : rest.join(':');
  return isRole(role) ? [{ tenant, role }] : [];
}

/** Several roles in one tenant add up. Groups of several tenants name none. */
function membershipOfGroups(claim: unknown): Membership | undefined {
  const groups = listOf(claim)
    .filter((group) => group.startsWith(tenantGroup))
    .flatMap(parseGroup);
  const [tenant, ...others] = new Set(groups.map((group) => group.tenant));
  const tenantId = parseTenantId(tenant);
  if (!tenantId.ok || others.length > 0) return undefined;
  const scopes = new Set<Scope>(groups.flatMap(({ role }) => scopesOfRole[role]));
  return { tenantId: tenantId.value, may: (scope) => scopes.has(scope) };
}
