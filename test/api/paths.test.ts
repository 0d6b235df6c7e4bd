// Every legal username and client id, in both of its forms in a path, on a socket and through the gateway.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayHandler } from '../../functions/api/gateway.ts';
import {
  type ClientId,
  type DeploymentId,
  parseClientId,
  parseUsername,
  type Username,
} from '../../shared/domain/ids.ts';
import { gatewayEvent } from './gateway-event.ts';
import { type Rig, startRig, tilde } from './rig.ts';

let rig: Rig;
let gateway: ReturnType<typeof createGatewayHandler>;
beforeAll(async () => {
  rig = await startRig();
  gateway = createGatewayHandler({ fetch: (request, env) => rig.fetch(request, env) }, async () => undefined);
});
afterAll(() => rig.stop());

const headers = { authorization: 'Bearer local' };

async function onSocket(target: string): Promise<unknown> {
  return (await rig.request('GET', target)).json;
}

async function throughGateway(target: string): Promise<unknown> {
  return JSON.parse((await gateway(gatewayEvent({ method: 'GET', target, headers }))).body ?? '');
}

/** What every URL parser takes for a step, and what says of itself that it is the other form. */
const needsTilde = (name: string): boolean => name === '.' || name === '..' || name.startsWith('~');

/** What the gateway, which decodes before it hands on, leaves of a name. */
const survivesGateway = (name: string): boolean => !needsTilde(name) && !name.includes('/') && !name.includes('?');

const piece = fc.oneof(
  fc.constantFrom('%', '%2F', '%25', '/', '\\', '#', '~', '.', '+', ' ', '&', '=', ';', ':', '|', '@', '"', '2F'),
  fc.constantFrom('ü', '日', '\u{1F600}', '\uFEFF', '\u2028', '\u00AD', '\uE000', 'e\u0301'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
);
const names = fc.oneof(
  fc.constantFrom('.', '..', '...', '~', '~~', '~YQ', '%', '%%', '%7E', '%2e%2e', 'a/../b', '/', '//'),
  fc.array(piece, { minLength: 1, maxLength: 30 }).map((pieces) => pieces.join('')),
);
const usernames = names.filter((name) => parseUsername(name).ok);
const clientIds = names.filter((name) => parseClientId('demo' as DeploymentId, name).ok);

async function roundTrip(show: (name: string) => void, prefix: string, field: string, name: string): Promise<void> {
  show(name);
  const expected = expect.objectContaining({ [field]: name });
  const tildeForm = `/v1/deployments/demo/${prefix}/${tilde(name)}`;
  expect(await onSocket(tildeForm)).toEqual(expected);
  expect(await throughGateway(tildeForm)).toEqual(expected);
  const percentForm = `/v1/deployments/demo/${prefix}/${encodeURIComponent(name)}`;
  if (!needsTilde(name)) expect(await onSocket(percentForm)).toEqual(expected);
  if (survivesGateway(name)) expect(await throughGateway(percentForm)).toEqual(expected);
}

const parameters = { numRuns: 300, interruptAfterTimeLimit: 15_000 };

test('usernames', async () => {
  const show = (name: string) => {
    const one = {
      used: 1,
      limit: { kind: 'none' },
      whitelisted: false,
      connected: 1,
      retained: 0,
      pending: 0,
    } as const;
    rig.usage.usernames = [{ ...one, username: name as Username }];
  };
  await fc.assert(
    fc.asyncProperty(usernames, (name) => roundTrip(show, 'session-usage', 'username', name)),
    parameters,
  );
}, 60_000);

test('client ids', async () => {
  const show = (name: string) => {
    rig.usage.sessions = [{ clientId: name as ClientId, username: 'alice' as Username, state: 'connected' }];
  };
  await fc.assert(
    fc.asyncProperty(clientIds, (name) => roundTrip(show, 'clients', 'clientId', name)),
    parameters,
  );
}, 60_000);

describe('through the gateway', () => {
  const status = async (rawPath: string, method = 'GET', body?: string) => {
    const event = {
      ...gatewayEvent({ method, target: '/', headers, ...(body === undefined ? {} : { body }) }),
      rawPath,
    };
    const { statusCode, body: text } = await gateway(event);
    return [statusCode, (JSON.parse(text ?? '') as { code?: string }).code];
  };

  test.each([
    '/v1/deployments/demo/credentials/..',
    '/v1/deployments/demo/clients/../session-limit',
    '/v1/./deployments',
  ])('%s is nowhere: no step in a path leads to another route', async (rawPath) => {
    expect(await status(rawPath)).toEqual([400, 'request.malformed']);
  });

  test('what is not HTTP is a problem document too', async () => {
    expect(await status('/v1/deployments', 'TRACE')).toEqual([400, 'request.malformed']);
    expect(await status('/v1/deployments/\uD800')).toEqual([400, 'request.malformed']);
  });

  test('a body that comes with a GET is nobody’s affair', async () => {
    expect(await status('/v1/deployments', 'GET', '{}')).toEqual([200, undefined]);
  });
});
