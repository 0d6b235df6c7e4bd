import { describe, expect, test } from 'vitest';
import { createClaimsAuthenticate } from '../../functions/api/claims.ts';
import { allScopes } from '../../shared/config/scopes.ts';
import type { TenantId } from '../../shared/domain/ids.ts';

const good = {
  sub: 'u-1',
  token_use: 'access',
  'cognito:groups': '[operators tenant:acme]',
  scope: 'openid headcount/settings:read headcount/usage:read headcount/nonsense',
};

const machine = { sub: 'm-1', client_id: 'm-1', token_use: 'access', scope: 'headcount/settings:write' };
const authenticate = createClaimsAuthenticate({
  tenantOf: async (clientId) => (clientId === 'm-1' ? ('acme' as TenantId) : undefined),
});

const principalOf = async (claims: unknown) =>
  authenticate('token', { event: { requestContext: { authorizer: { jwt: { claims } } } } });

test('the tenant is the group, the scopes are those of this API, without their resource server', async () => {
  expect(await principalOf(good)).toEqual({
    tenantId: 'acme',
    subject: 'u-1',
    actor: 'u-1',
    scopes: new Set(['settings:read', 'usage:read']),
  });
});

test('audit records name the person by email or username, and a machine by its app client', async () => {
  const actorOf = async (claims: object) => (await principalOf(claims))?.actor;
  expect(await actorOf({ ...good, username: 'ann' })).toBe('ann');
  expect(await actorOf({ ...good, username: 'ann', email: 'ann@example.com' })).toBe('ann@example.com');
  expect(await actorOf({ ...good, username: '', email: 7 })).toBe('u-1');
  expect(await actorOf({ ...machine, username: 'ann' })).toBe('m-1');
});

test('groups are read in each way a gateway writes them', async () => {
  for (const groups of ['tenant:acme', '[tenant:acme]', ['a', 'tenant:acme'], '[a tenant:acme]'])
    expect((await principalOf({ ...good, 'cognito:groups': groups }))?.tenantId).toBe('acme');
});

test('a comma is a part of a name, and makes nobody a member of another tenant', async () => {
  for (const group of [
    'x,tenant:acme',
    ',tenant:acme',
    'tenant:acme,x',
    'tenant:other,tenant:acme',
    'x,[tenant:acme]',
  ]) {
    expect(await principalOf({ ...good, 'cognito:groups': `[${group}]` }), group).toBeUndefined();
    expect(await principalOf({ ...good, 'cognito:groups': group }), group).toBeUndefined();
    expect(await principalOf({ ...good, 'cognito:groups': [group] }), group).toBeUndefined();
    const beside = await principalOf({ ...good, 'cognito:groups': `[${group} tenant:mine]` });
    expect(beside?.tenantId ?? 'none', group).not.toBe('acme');
  }
});

test('the tenant of a machine is the one that its app client belongs to', async () => {
  expect(await principalOf(machine)).toEqual({
    tenantId: 'acme',
    subject: 'm-1',
    actor: 'm-1',
    scopes: new Set(['settings:write']),
  });
});

test('a scope of another resource server is worth nothing here', async () => {
  const foreign = await principalOf({ ...good, scope: 'other/settings:write settings:write headcount/usage:read' });
  expect(foreign?.scopes).toEqual(new Set(['usage:read']));
});

describe('the role in the name of the group', () => {
  const reader = ['audit:read', 'settings:read', 'usage:read'];
  const operator = [...reader, 'sessions:kick', 'settings:write'].sort();
  const admin = [...operator, 'credentials:write', 'deployments:write'].sort();
  const all = allScopes.map((scope) => `headcount/${scope}`).join(' ');
  const allowed = async (groups: string, scope = all) => {
    const principal = await principalOf({ ...good, scope, 'cognito:groups': `[${groups}]` });
    return principal && [principal.tenantId, ...[...principal.scopes].sort()];
  };

  // `all` names tenants:admin, which no group gives.
  test.each([
    ['tenant:acme:reader', reader],
    ['tenant:acme:operator', operator],
    ['tenant:acme:admin', admin],
    ['tenant:acme', admin],
    ['operators tenant:acme:reader', reader],
    ['tenant:acme:reader tenant:acme:operator', operator],
    ['tenant:acme:reader tenant:acme', admin],
  ])('%s allows so much of a token with every scope, and never more', async (groups, scopes) => {
    expect(await allowed(groups)).toEqual(['acme', ...scopes]);
  });

  test('adds nothing to what the token is good for', async () => {
    expect(await allowed('tenant:acme:admin', 'headcount/usage:read')).toEqual(['acme', 'usage:read']);
    expect(await allowed('tenant:acme:reader', 'headcount/settings:write')).toEqual(['acme']);
    expect(await allowed('tenant:acme:admin', 'headcount/tenants:admin')).toEqual(['acme']);
  });

  test('counts as no group where it is none that there is', async () => {
    const unknown = ['Reader', 'readers', 'admin:', ':admin', 'admin:reader', '', 'owner', 'constructor', '__proto__'];
    for (const role of unknown) {
      expect(await allowed(`tenant:acme:${role}`), role).toBeUndefined();
      expect(await allowed(`tenant:acme:${role} tenant:acme:reader`), role).toEqual(['acme', ...reader]);
    }
  });

  test('names no tenant where groups name several', async () => {
    for (const groups of ['tenant:acme:reader tenant:other:admin', 'tenant:acme:admin tenant:A_B:reader'])
      expect(await allowed(groups), groups).toBeUndefined();
  });

  test('does not touch machines, which are in no group', async () => {
    const claims = { ...machine, scope: 'headcount/tenants:admin headcount/deployments:write' };
    for (const groups of [undefined, 'tenant:acme:reader'])
      expect((await principalOf({ ...claims, 'cognito:groups': groups }))?.scopes).toEqual(
        new Set(['tenants:admin', 'deployments:write']),
      );
  });
});

describe('nobody comes in', () => {
  test.each([
    ['without claims', undefined],
    ['with an id token', { ...good, token_use: 'id' }],
    ['without a group', { ...good, 'cognito:groups': undefined }],
    ['with a group that is no tenant', { ...good, 'cognito:groups': '[acme]' }],
    ['with two tenants', { ...good, 'cognito:groups': '[tenant:acme tenant:other]' }],
    ['with a tenant id that none can have', { ...good, 'cognito:groups': '[tenant:A_B]' }],
    ['with a tenant in an attribute of his own', { ...good, 'cognito:groups': undefined, 'custom:tenant': 'acme' }],
    ["as an app client that is nobody's", { ...machine, sub: 'm-2', client_id: 'm-2' }],
    [
      'as an app client in a group that it cannot be in',
      { ...machine, sub: 'm-2', client_id: 'm-2', 'cognito:groups': 'tenant:acme' },
    ],
    ["as a person without a group, signed in at a machine's app client", { ...machine, sub: 'u-9' }],
    ['without a subject', { ...good, sub: '' }],
  ])('%s', async (_, claims) => {
    expect(await principalOf(claims)).toBeUndefined();
  });

  test('outside of a gateway', async () => {
    for (const env of [undefined, null, {}, { event: 'x' }]) expect(await authenticate('token', env)).toBeUndefined();
  });
});
