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

/** The resource server under which Cognito keeps the scopes: in a token they are called `headcount/<scope>`. */
export const resourceServer = 'headcount';
