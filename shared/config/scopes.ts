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

/** The resource server under which Cognito keeps the scopes: in a token they are called `headcount/<scope>`. */
export const resourceServer = 'headcount';
