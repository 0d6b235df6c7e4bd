import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseLocalTokens } from '../../functions/api/tokens.ts';
import { allScopes } from '../../shared/config/scopes.ts';

const callerOf = (env: { API_TOKEN?: string; API_TOKENS?: string }, token: string) => {
  const principal = parseLocalTokens(env).authenticate(token, undefined);
  return principal && { tenant: principal.tenantId, scopes: [...principal.scopes].sort() };
};

const all = [...allScopes].sort();
const exceptAdmin = all.filter((scope) => scope !== 'tenants:admin');

test('without variables there is one token, of the tenant local, with all scopes', () => {
  expect(callerOf({}, 'local')).toEqual({ tenant: 'local', scopes: all });
  expect(callerOf({}, '')).toBeUndefined();
  expect(parseLocalTokens({}).tenants).toEqual(['local']);
});

test('API_TOKEN replaces it', () => {
  expect(callerOf({ API_TOKEN: 'mine' }, 'mine')).toEqual({ tenant: 'local', scopes: all });
  expect(callerOf({ API_TOKEN: 'mine' }, 'local')).toBeUndefined();
});

test('API_TOKENS adds tenants: all scopes but tenants:admin, or those that are named', () => {
  const env = { API_TOKENS: 'a=acme, ro=local:settings:read+usage:read ,padded===acme:tenants:admin,' };
  expect(callerOf(env, 'a')).toEqual({ tenant: 'acme', scopes: exceptAdmin });
  expect(callerOf(env, 'ro')).toEqual({ tenant: 'local', scopes: ['settings:read', 'usage:read'] });
  expect(callerOf(env, 'padded==')).toEqual({ tenant: 'acme', scopes: ['tenants:admin'] });
  expect(callerOf(env, 'local')).toEqual({ tenant: 'local', scopes: all });
  expect(callerOf(env, 'padded')).toBeUndefined();
  expect(parseLocalTokens(env).tenants).toEqual(['local', 'acme']);
});

test('a token has the name that the audit shows, before @', () => {
  const env = { API_TOKENS: 'deploy.bot@a==acme:audit:read, b=acme, deploy.bot@c=acme' };
  const { authenticate } = parseLocalTokens(env);
  const named = ['local', 'a=', 'b', 'c'].map((token) => authenticate(token, undefined)?.actor);
  expect(named).toEqual(['API_TOKEN', 'deploy.bot', 'token-73390604', 'deploy.bot']);
  expect(callerOf(env, 'deploy.bot@a=')).toBeUndefined();
});

test('a token without a name has one of its own, wherever it stands, that does not hold it', () => {
  const nameOf = (API_TOKENS: string, token: string) => {
    const principal = parseLocalTokens({ API_TOKENS }).authenticate(token, undefined);
    return principal && [principal.actor, principal.subject];
  };
  const alone = nameOf('s3cret=acme', 's3cret');
  expect(alone?.[0]).toMatch(/^token-[0-9a-f]{8}$/);
  expect(alone?.[1]).toBe(alone?.[0]);
  expect(nameOf('first=local,bot@second=acme, s3cret=other:audit:read', 's3cret')).toEqual(alone);
  expect(nameOf('s3cret=acme,another=acme', 'another')).not.toEqual(alone);
  // A digest that is quick to make would be quick to try guesses on.
  const quick = createHash('sha256').update('s3cret').digest('hex');
  expect(alone?.[0]).not.toBe(`token-${quick.slice(0, 8)}`);
});

test.each([
  ['@s3cret=acme', 'entry 1'],
  ['two words@s3cret=acme', 'a name has'],
  ['a@b@s3cret=acme', 'entry 1'],
  ['s3cret', 'entry 1'],
  ['=acme', 'entry 1'],
  ['ok=acme,s3cret=', 'entry 2'],
  ['s3cret=Not A Tenant', 'entry 1'],
  ['s3cret=acme:', 'entry 1'],
  ['s3cret=acme:settings:reed', 'settings:reed'],
  ['s3cret !=acme', 'entry 1'],
  ['s3cret=acme,s3cret=other', 'twice'],
  ['local=acme', 'twice'],
])('%s cannot be meant: it is refused, says where, and keeps the token to itself', (API_TOKENS, said) => {
  const parse = () => parseLocalTokens({ API_TOKENS });
  expect(parse).toThrow(said);
  expect(parse).not.toThrow('s3cret');
});
