import { connect as dial } from 'node:net';
import { generate, type IConnackPacket, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { afterEach, describe, expect, test } from 'vitest';
import type { AuthorizerAnswer } from '../../functions/authorizer/event.ts';
import { until } from '../support/until.ts';
import { allowDemo, type Bench, startBench, type Version, versions } from './broker-bench.ts';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function startSilent(): Promise<Bench> {
  bench = await startBench({ authorize: () => new Promise(() => undefined) });
  return bench;
}

/** Sends an MQTT 5 CONNECT as it is, and reads the CONNACK as it is. */
async function exchange(port: number, fields: Partial<IConnectPacket>): Promise<IConnackPacket> {
  const socket = dial(port, '127.0.0.1');
  const reader = parser({ protocolVersion: 5 });
  const answered = new Promise<Packet>((resolve) => reader.once('packet', resolve));
  socket.on('data', (bytes) => reader.parse(bytes));
  const connect: IConnectPacket = { cmd: 'connect', clientId: '', clean: true, keepalive: 0, protocolVersion: 5 };
  socket.write(generate({ ...connect, ...fields }));
  const packet = await answered;
  socket.destroy();
  if (packet.cmd !== 'connack') throw new Error(`a ${packet.cmd} instead of a CONNACK`);
  return packet;
}

const refusal = (version: Version) => ({ code: version === 5 ? 0x87 : 5 });

describe.each(versions)('CONNECT of MQTT version %i', (version) => {
  test('asks the authorizer with an event of the shape that IoT Core sends', async () => {
    bench = await startBench();
    await bench.connect(version, 'demo:c1', { username: 'alice?deployment=demo', password: 'pä55' });
    expect(bench.asked).toEqual([
      {
        signatureVerified: false,
        protocols: ['mqtt'],
        protocolData: {
          mqtt: {
            username: 'alice?deployment=demo',
            password: Buffer.from('pä55').toString('base64'),
            clientId: 'demo:c1',
          },
        },
        connectionMetadata: { id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) },
      },
    ]);
  });

  const documents = allowDemo({ protocolData: { mqtt: { clientId: 'demo:c1' } } }).policyDocuments ?? [];
  const good: AuthorizerAnswer = { isAuthenticated: true, principalId: 'p1', policyDocuments: documents };
  const badAnswers: readonly (readonly [string, () => Promise<AuthorizerAnswer>])[] = [
    ['isAuthenticated: false', async () => ({ ...good, isAuthenticated: false })],
    ['a throw', () => Promise.reject(new Error('no'))],
    ['no principal', async () => ({ isAuthenticated: true, policyDocuments: documents })],
    ['a principal with other characters', async () => ({ ...good, principalId: 'demo:c1' })],
    ['a principal of 129 characters', async () => ({ ...good, principalId: 'p'.repeat(129) })],
    ['11 documents', async () => ({ ...good, policyDocuments: Array(11).fill(documents[0]) })],
    ['a document of 2,049 characters', async () => ({ ...good, policyDocuments: [`${documents[0]}`.padEnd(2_049)] })],
    ['a document that is no JSON', async () => ({ ...good, policyDocuments: ['{'] })],
    ['a disconnect after 299 s', async () => ({ ...good, disconnectAfterInSeconds: 299 })],
    ['a refresh after 86,401 s', async () => ({ ...good, refreshAfterInSeconds: 86_401 })],
    ['a policy for another client', async () => allowDemo({ protocolData: { mqtt: { clientId: 'demo:c2' } } })],
    ['no policy', async () => ({ ...good, policyDocuments: [] })],
  ];

  test.each(badAnswers)('is refused, and told of as failed, after %s', async (_, authorize) => {
    bench = await startBench({ authorize });
    await expect(bench.connect(version, 'demo:c1')).rejects.toMatchObject(refusal(version));
    expect(bench.events).toMatchObject([
      { eventType: 'connect_failed', clientId: 'demo:c1', connectFailureReason: 'AUTHORIZATION_FAILED' },
    ]);
    expect(bench.events[0]).not.toHaveProperty('versionNumber');
  });

  test('is refused when the authorizer has not answered within 5 s', async () => {
    const { connect, asked, time } = await startSilent();
    const refused = expect(connect(version, 'demo:c1')).rejects.toMatchObject(refusal(version));
    await until(() => expect(asked).toHaveLength(1));
    time.advance(5_000);
    await refused;
  });

  test('is refused as unavailable when the session expiry of its deployment cannot be read', async () => {
    if (version === 5) return;
    bench = await startBench({ persistentExpirySeconds: () => Promise.reject(new Error('no database')) });
    await expect(bench.connect(version, 'demo:c1', { clean: false })).rejects.toMatchObject({ code: 3 });
  });

  test('takes 128 bytes of client id', async () => {
    bench = await startBench();
    const clientId = `demo:${'c'.repeat(123)}`;
    await bench.connect(version, clientId);
    expect(bench.events).toMatchObject([{ eventType: 'connected', clientId }]);
  });

  test('500 at once are all answered', async () => {
    bench = await startBench();
    const { connect } = bench;
    const clients = await Promise.all(Array.from({ length: 500 }, (_, n) => connect(version, `demo:c${n}`)));
    expect(clients.every((client) => client.connected)).toBe(true);
    expect(new Set(bench.events.map((event) => event.clientId)).size).toBe(500);
  });
});

test('fields that a CONNECT has not are not in the event', async () => {
  bench = await startBench({ authorize: async () => ({ isAuthenticated: false }) });
  const { reasonCode } = await exchange(bench.broker.port, { clientId: '' });
  expect(reasonCode).toBe(0x87);
  expect(bench.asked[0]?.protocolData).toEqual({ mqtt: {} });
  expect(bench.events).toEqual([]);
});

test('MQTT 5 clients are not told that shared subscriptions were unavailable', async () => {
  bench = await startBench();
  const { reasonCode, properties } = await exchange(bench.broker.port, { clientId: 'demo:c1' });
  expect(reasonCode).toBe(0);
  expect(properties?.sharedSubscriptionAvailable ?? true).toBe(true);
});

test('a session expiry beyond the maximum is adjusted, and the CONNACK says so', async () => {
  bench = await startBench();
  const asked = { clientId: 'demo:c1', properties: { sessionExpiryInterval: 0xffffffff } };
  const { properties } = await exchange(bench.broker.port, asked);
  expect(properties?.sessionExpiryInterval).toBe(604_800);
});
