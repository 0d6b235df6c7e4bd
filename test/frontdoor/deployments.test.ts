// Which deployment a CONNECT is for: the TLS server name, the user name's suffix, the listener's own.
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { connectAsync } from 'mqtt';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { connectBytes, RawClient, type Rig, startBroker, startRig } from './rig.ts';

let rig: Rig;
let broker: Awaited<ReturnType<typeof startBroker>>;
let tlsPort: number;
beforeAll(async () => {
  const certificate = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  broker = await startBroker();
  rig = await startRig({
    brokerPort: broker.port,
    connectTimeoutMs: 300,
    deploymentOfServerName: (name) => /^(.+)\.mqtt\.localhost$/.exec(name)?.[1],
  });
  const address = { host: '127.0.0.1', port: 0 };
  tlsPort = (await rig.door.listenTls({ ...address, key: certificate.private, cert: certificate.cert })).port;
});
afterAll(async () => {
  await rig.close();
  await broker.close();
});
beforeEach(() => {
  rig.requests.length = 0;
});

async function asked(url: string, username: string, servername?: string) {
  const client = connectAsync(
    url,
    {
      protocolVersion: 5,
      clientId: 'c',
      username,
      password: 'p',
      reconnectPeriod: 0,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    },
    false,
  );
  await client.then(
    (connected) => connected.endAsync(),
    () => {},
  );
  return rig.requests.map(({ deploymentId, username: name }) => [deploymentId, name]);
}

test.each([
  ['over TCP the suffix names it', 'mqtt', 'alice?deployment=other', undefined, 'other'],
  ['over TCP without a suffix it is the default', 'mqtt', 'alice', undefined, 'demo'],
  ['over TLS the server name wins over the suffix', 'mqtts', 'alice?deployment=other', 'own.mqtt.localhost', 'own'],
  ['a server name is the same in capitals', 'mqtts', 'alice', 'OWN.MQTT.localhost', 'own'],
  ['a server name that maps to none leaves it to the suffix', 'mqtts', 'alice?deployment=other', 'localhost', 'other'],
  ['no server name leaves it to the suffix', 'mqtts', 'alice?deployment=other', '', 'other'],
  ['an SDK divides the suffix with "?"', 'mqtts', 'alice?deployment=other?SDK=JavaV2&Version=1.0', '', 'other'],
  ['over TCP too', 'mqtt', 'alice?SDK=JavaV2&deployment=other?', undefined, 'other'],
  ['a suffix that names two names neither, nor the default', 'mqtt', 'alice?deployment=a&deployment=b', undefined, ''],
  ['over TLS there is no default', 'mqtts', 'alice', 'localhost', undefined],
] as const)('%s', async (_name, scheme, username, servername, deploymentId) => {
  const port = scheme === 'mqtt' ? rig.port : tlsPort;
  expect(await asked(`${scheme}://127.0.0.1:${port}`, username, servername)).toEqual([[deploymentId, 'alice']]);
});

test.each([
  ['no handshake', Buffer.alloc(0)],
  ['half a handshake', Buffer.from('16030100f1', 'hex')],
])('over TLS, %s is closed when the time for a CONNECT is over', async (_name, bytes) => {
  const client = new RawClient(tlsPort);
  client.socket.write(bytes);
  await client.closed;
  await until(() => expect(rig.door.unadmitted()).toBe(0));
});

test('over TLS, a handshake without a CONNECT is closed too', async () => {
  const client = dialTls({ host: '127.0.0.1', port: tlsPort, rejectUnauthorized: false });
  client.on('error', () => {});
  client.resume();
  await new Promise((resolve) => client.once('close', resolve));
  await until(() => expect(rig.door.unadmitted()).toBe(0));
});

test('bytes that are not TLS, in the middle of a TLS stream, end the connection', async () => {
  const tcp = dial({ host: '127.0.0.1', port: tlsPort });
  const servername = 'demo.mqtt.localhost';
  const client = dialTls({ socket: tcp, servername, rejectUnauthorized: false });
  client.on('error', () => {});
  const answered = once(client, 'data');
  client.write(connectBytes());
  await answered;
  expect(rig.door.connections()).toBe(1);
  tcp.write('this is not a TLS record');
  await until(() => expect(rig.door.connections()).toBe(0));
  tcp.destroy();
});

test('plain MQTT on the TLS port is closed without effect', async () => {
  const client = new RawClient(tlsPort);
  client.socket.write(connectBytes());
  await client.closed;
  expect(rig.requests).toEqual([]);
});

test('a connection over TLS is reported like any other', async () => {
  const before = rig.reports.length;
  await asked(`mqtts://127.0.0.1:${tlsPort}`, 'alice', 'demo.mqtt.localhost');
  await until(() =>
    expect(rig.reports.slice(before).map(({ type }) => type)).toEqual(['door.connected', 'door.disconnected']),
  );
});
