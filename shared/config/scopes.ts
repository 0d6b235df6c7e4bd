// What a token may be good for. The API checks them; the sign-in of an installation offers them.

export const allScopes = [
  'tenants:admin',
  'settings:read',
  'settings:write',
  'deployments:write',
  'credentials:write',
  'usage:read',
  'sessions:kick',
  'audit:read',
] as const;

/** What whoever acts for one tenant may be given. The rest is for the operator of the whole installation. */
export const tenantScopes = allScopes.filter((scope) => scope !== 'tenants:admin');

/** What a person may do in the tenant, by the role in the name of the group: `tenant:<tenantId>:<role>`. */
export const scopesOfRole = {
  reader: ['settings:read', 'usage:read', 'audit:read'],
  operator: ['settings:read', 'usage:read', 'audit:read', 'settings:write', 'sessions:kick'],
  admin: tenantScopes,
} as const satisfies Readonly<Record<string, readonly (typeof allScopes)[number][]>>;

/** The resource server under which Cognito keeps the scopes: in a token they are called `headcount/<scope>`. */
export const resourceServer = 'headcount';
