// Who may do what, of every route there is: no token, an unknown one, another tenant's, one without the scope.

import { afterAll, describe, expect, test } from 'vitest';
import { allScopes } from '../../shared/config/scopes.ts';
import { type Answered, startRig } from './rig.ts';
import { fillPath, isOwned, readRoutes } from './routes.ts';

const rig = await startRig();
const routes = await readRoutes(rig);
await rig.request('PUT', 'session-limit', { body: { whitelist: ['alice'] } });
afterAll(() => rig.stop());

const slug = (scope: string) => scope.replace(':', '-');

/** Everything a caller sees, less what may differ. */
function visible({ status, text, headers }: Answered) {
  const kept = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date').sort();
  return { status, text, headers: kept };
}

/** Product contract, section 3. */
const contract = [
  'GET /v1/tenants tenants:admin',
  'POST /v1/tenants tenants:admin',
  'GET /v1/deployments settings:read',
  'POST /v1/deployments deployments:write',
  'GET … settings:read',
  'PATCH … deployments:write',
  'DELETE … deployments:write',
  'GET …/credentials settings:read',
  'PUT …/credentials/{username} credentials:write',
  'DELETE …/credentials/{username} credentials:write',
  'GET …/session-limit settings:read',
  'PUT …/session-limit settings:write',
  'PATCH …/session-limit settings:write',
  'DELETE …/session-limit settings:write',
  'GET …/session-limit/overrides settings:read',
  'GET …/session-limit/overrides/{username} settings:read',
  'PUT …/session-limit/overrides/{username} settings:write',
  'DELETE …/session-limit/overrides/{username} settings:write',
  'GET …/session-usage usage:read',
  'GET …/session-usage/{username} usage:read',
  'GET …/session-usage/{username}/sessions usage:read',
  'DELETE …/session-usage/{username}/sessions sessions:kick',
  'GET …/clients/{clientId} usage:read',
  'DELETE …/clients/{clientId} sessions:kick',
  'GET …/rejections usage:read',
  'GET …/session-usage/{username}/rejections usage:read',
  'GET …/audit audit:read',
  'GET /v1/audit audit:read',
  'GET /v1/operations usage:read or sessions:kick',
  'GET /v1/operations/{operationId} usage:read or sessions:kick',
];

test('the routes are those of the contract, each with its scope', () => {
  const found = routes.map(({ method, path, scope, orScope }) => {
    const short = path.replace('/v1/deployments/{deploymentId}', '…');
    return `${method} ${short} ${scope}${orScope === undefined ? '' : ` or ${orScope}`}`;
  });
  expect(found.filter((route) => contract.includes(route)).sort()).toEqual([...contract].sort());
  expect(routes.filter(({ scope }) => !allScopes.some((known) => known === scope))).toEqual([]);
});

test('an answer lists what the caller may do, and no answer about what is not the tenant’s does', async () => {
  const listed = async (path: string, token: string) =>
    (await rig.request('GET', path, { token })).headers.get('x-scopes');
  const mine = '/v1/deployments/demo';
  expect(await listed(mine, 'read')).toBe('settings:read');
  const known = (await listed(mine, 'without-audit-read'))?.split(' ');
  expect(known).toEqual(allScopes.filter((scope) => scope !== 'audit:read'));
  expect(await listed(mine, 'foreign')).toBeNull();
  expect(await listed(mine, 'guess')).toBeNull();
});

describe.each(routes)('$method $path', ({ method, path, scope, orScope, hasBody }) => {
  const body = hasBody ? {} : undefined;
  const mine = fillPath(path, 'mine');

  test('needs a token that somebody gave out', async () => {
    for (const token of ['', 'guess', 'local2', 'Local']) {
      const answered = await rig.request(method, mine, { token, body });
      expect([answered.status, answered.json]).toEqual([401, expect.objectContaining({ code: 'unauthorized' })]);
      expect(answered.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test(`needs the scope ${scope}, and no other, before it looks at what was sent`, async () => {
    const token = orScope === undefined ? `without-${slug(scope)}` : 'write';
    const refused = await rig.request(method, `${mine}?nope=1`, { token, body });
    expect([refused.status, refused.json]).toEqual([
      403,
      expect.objectContaining({ code: 'forbidden', detail: expect.stringContaining(scope) }),
    ]);
    const passed = await rig.request(method, `${mine}?nope=1`, { token: `only-${slug(scope)}`, body });
    expect([passed.status, passed.json]).toEqual([400, expect.objectContaining({ code: 'request.invalid' })]);
  });
});

describe.each(routes.filter(({ path }) => isOwned(path)))('$method $path', ({ method, path, scope, hasBody }) => {
  const body = hasBody ? {} : undefined;

  test('answers what is another tenant’s as what is missing, byte for byte', async () => {
    const missing = visible(await rig.request(method, fillPath(path, 'missing'), { body }));
    expect(missing).toMatchObject({ status: 404, text: expect.stringContaining('.not_found') });
    const theirs = fillPath(path, 'theirs');
    expect(visible(await rig.request(method, theirs, { body }))).toEqual(missing);
    // Before scope, parameters, media type and body.
    for (const token of [`without-${slug(scope)}`, `only-${slug(scope)}`, 'local'])
      for (const sent of hasBody ? [{ raw: '{' }, { raw: 'x', headers: { 'content-type': 'text/plain' } }] : [{}])
        expect(visible(await rig.request(method, `${theirs}?nope=1`, { token, ...sent }))).toEqual(missing);
    // And the one whom it belongs to gets further.
    expect((await rig.request(method, `${theirs}?nope=1`, { token: 'foreign', body })).status).toBe(400);
  });
});
