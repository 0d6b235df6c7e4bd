import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createIotBroker } from '../../shared/adapters/aws/iot-broker.ts';
import { createIotConnections } from '../../shared/adapters/aws/iot-connections.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import { startBench } from '../local/broker-bench.ts';
import { describeBroker } from './broker.ts';
import { type DataPlane, startDataPlane } from './iot-data-plane.ts';

/** The adapter takes its endpoint and its credentials from the environment, as every AWS client. */
async function startIot(): Promise<{ readonly plane: DataPlane; readonly broker: Broker }> {
  const plane = await startDataPlane();
  vi.stubEnv('AWS_ENDPOINT_URL', plane.endpoint);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const broker = createIotBroker();
  // The client reads its endpoint with its first request.
  await broker.getConnection('demo:first' as BrokerClientId);
  return { plane, broker };
}

describeBroker('IoT Core', async () => {
  const { plane, broker } = await startIot();
  return {
    broker,
    async connect(clientId, expirySeconds) {
      plane.connect(clientId, expirySeconds);
      return async () => plane.disconnect(clientId);
    },
    isConnected: (clientId) => plane.isConnected(clientId),
    close: () => plane.close(),
  };
});

/** DeleteConnection as the authorizer sends it, in the place of the SDK's. */
async function startSmallIot(): Promise<{ readonly plane: DataPlane; readonly broker: Broker }> {
  const { plane, broker } = await startIot();
  return { plane, broker: { ...broker, ...createIotConnections('eu-central-1', plane.endpoint) } };
}

describeBroker('IoT Core, asked without its client', async () => {
  const { plane, broker } = await startSmallIot();
  return {
    broker,
    async connect(clientId, expirySeconds) {
      plane.connect(clientId, expirySeconds);
      return async () => plane.disconnect(clientId);
    },
    isConnected: (clientId) => plane.isConnected(clientId),
    close: () => plane.close(),
  };
});

describeBroker('the embedded one', async () => {
  const bench = await startBench();
  const connected = new Map<string, () => boolean>();
  return {
    broker: bench.broker,
    async connect(clientId, expirySeconds) {
      const client = await bench.connect(5, clientId, {
        clean: expirySeconds === 0,
        properties: { sessionExpiryInterval: expirySeconds },
      });
      // Being ended is what happens to it here.
      client.removeAllListeners('error').on('error', () => undefined);
      connected.set(clientId, () => client.connected);
      return async () => void (await client.endAsync());
    },
    isConnected: (clientId) => connected.get(clientId)?.() === true,
    close: () => bench.close(),
  };
});

describe.each([
  ['through its client', startIot],
  ['asked without it', startSmallIot],
])('IoT Core that cannot answer, %s', (_, startOne) => {
  let plane: DataPlane;
  let broker: Broker;
  beforeAll(async () => {
    ({ plane, broker } = await startOne());
    plane.connect('demo:here', 60);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await plane.close();
  });

  test.each([
    ['throttles', { status: 429, error: 'ThrottlingException' }],
    ['fails', { status: 500, error: 'InternalFailureException' }],
    ['is down', { status: 503, error: 'ServiceUnavailableException' }],
    ['is somebody else', { status: 404, error: 'MissingEndpointException' }],
    ['refuses', { status: 403, error: 'ForbiddenException' }],
    ['says nothing', 'silence'],
  ] as const)('and %s is unknown, never absent and never an exception', async (_how, trouble) => {
    const id = 'demo:here' as BrokerClientId;
    plane.trouble = trouble;
    expect(await broker.getConnection(id)).toEqual({ kind: 'unknown' });
    expect(await broker.deleteConnection(id, { cleanSession: true })).toBe('unknown');
    plane.trouble = undefined;
    expect(await broker.getConnection(id)).toMatchObject({ kind: 'connected', expirySeconds: 60 });
  });
});
