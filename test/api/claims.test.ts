import { describe, expect, test } from 'vitest';
import { principalOfClaims } from '../../functions/api/claims.ts';

const good = {
  sub: 'u-1',
  token_use: 'access',
  'cognito:groups': '[operators tenant:acme]',
  scope: 'openid headcount/settings:read headcount/usage:read headcount/nonsense',
};

const principalOf = (claims: unknown) =>
  principalOfClaims({ event: { requestContext: { authorizer: { jwt: { claims } } } } });

test('the tenant is the group, the scopes are those of this API, without their resource server', () => {
  expect(principalOf(good)).toEqual({
    tenantId: 'acme',
    subject: 'u-1',
    scopes: new Set(['settings:read', 'usage:read']),
  });
});

test('groups are read in each way a gateway writes them', () => {
  for (const groups of ['tenant:acme', '[tenant:acme]', ['a', 'tenant:acme'], '[a, tenant:acme]'])
    expect(principalOf({ ...good, 'cognito:groups': groups })?.tenantId).toBe('acme');
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
    ['without a subject', { ...good, sub: '' }],
  ])('%s', (_, claims) => {
    expect(principalOf(claims)).toBeUndefined();
  });

  test('outside of a gateway', () => {
    for (const env of [undefined, null, {}, { event: 'x' }]) expect(principalOfClaims(env)).toBeUndefined();
  });
});
