// Bearer tokens of the local run, from its environment (product contract, section 5).

import { createHash, scryptSync, timingSafeEqual } from 'node:crypto';
import { allScopes, tenantScopes } from '../../shared/config/scopes.ts';
import { parseTenantId, type TenantId } from '../../shared/domain/ids.ts';
import { isScope, type Principal, type Scope } from './principal.ts';

export interface LocalTokens {
  readonly authenticate: (bearer: string, env: unknown) => Principal | undefined;
  /** Every tenant that a token names; they exist. */
  readonly tenants: readonly TenantId[];
}

/** What a Bearer token may be made of [RFC 6750, 2.1]. */
const tokenPattern = /^[A-Za-z0-9\-._~+/]+=*$/;

const localTenant = 'local';

interface Entry {
  readonly token: string;
  readonly principal: Principal;
}

function parseScopes(raw: string, where: string): readonly Scope[] {
  return raw.split('+').map((scope) => {
    if (!isScope(scope)) throw new Error(`${where}: there is no scope "${scope}", only ${allScopes.join(', ')}`);
    return scope;
  });
}

interface Named {
  readonly tenant: string;
  readonly name: string;
}

function buildEntry(token: string, { tenant, name }: Named, scopes: readonly Scope[], where: string): Entry {
  // The message never holds the token: it ends up in logs.
  if (!tokenPattern.test(token)) throw new Error(`${where}: a token holds only letters, digits and -._~+/`);
  const tenantId = parseTenantId(tenant);
  if (!tenantId.ok) throw new Error(`${where}: ${tenantId.problem}`);
  return { token, principal: { tenantId: tenantId.value, subject: name, actor: name, scopes: new Set(scopes) } };
}

/**
 * What the audit calls a token without a name: the same wherever the token stands. The audit is kept and read by others, so
 * a guess at the token costs milliseconds to compare with it, and 32 bits confirm none for certain.
 */
function shortNameOf(token: string): string {
  return `token-${scryptSync(token, 'headcount: short name of a token', 4, { N: 4_096 }).toString('hex')}`;
}

const namePattern = /^[A-Za-z0-9._-]{1,64}$/;

/** `token=tenant` or `token=tenant:scope+scope`, after `name@` or not. A token may end in `=`, so the last one is the border. */
function parseEntry(raw: string, where: string): Entry {
  const border = raw.lastIndexOf('=');
  if (border < 1) throw new Error(`${where}: expected token=tenant or token=tenant:scope+scope, after name@ or not`);
  const rest = raw.slice(border + 1);
  const colon = rest.indexOf(':');
  const tenant = colon < 0 ? rest : rest.slice(0, colon);
  const scopes = colon < 0 ? tenantScopes : parseScopes(rest.slice(colon + 1), where);
  // No token holds an `@`.
  const at = raw.indexOf('@');
  const token = raw.slice(at + 1, border);
  const name = at < 0 ? shortNameOf(token) : raw.slice(0, at);
  if (at >= 0 && !namePattern.test(name)) throw new Error(`${where}: a name has 1 to 64 letters, digits and ._-`);
  return buildEntry(token, { tenant, name }, scopes, where);
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Throws, and says which part is wrong, for variables that cannot be meant. */
export function parseLocalTokens(env: { readonly API_TOKEN?: string; readonly API_TOKENS?: string }): LocalTokens {
  const own = { tenant: localTenant, name: 'API_TOKEN' };
  const first = buildEntry(env.API_TOKEN ?? 'local', own, allScopes, 'API_TOKEN');
  const more = (env.API_TOKENS ?? '')
    .split(',')
    .map((raw) => raw.trim())
    .filter((raw) => raw !== '')
    .map((raw, place) => parseEntry(raw, `API_TOKENS, entry ${place + 1}`));
  const entries = [first, ...more];
  if (new Set(entries.map((entry) => entry.token)).size < entries.length)
    throw new Error('API_TOKEN and API_TOKENS: a token is named twice');
  const known = entries.map(({ token, principal }) => ({ digest: digestOf(token), principal }));

  return {
    // Every token is compared, and as digests of one length: time tells neither how much of a guess was right nor which.
    authenticate: (bearer) => {
      const digest = digestOf(bearer);
      let found: Principal | undefined;
      for (const entry of known) if (timingSafeEqual(entry.digest, digest)) found = entry.principal;
      return found;
    },
    tenants: [...new Set(entries.map((entry) => entry.principal.tenantId))],
  };
}
