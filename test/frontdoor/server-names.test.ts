// The server name of this very handshake picks the deployment (S25), on a resumed TLS session too. Node 20 tells no name
// on a resumed TLS 1.2 session, and lets a client resume under another name than the session's.
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { type ConnectionOptions, connect as dialTls } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectBytes, packetBytes, RawClient, type Rig, startBroker, startRig } from './rig.ts';

let rig: Rig;
let broker: Awaited<ReturnType<typeof startBroker>>;
let tlsPort: number;
beforeAll(async () => {
  const certificate = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  broker = await startBroker();
  rig = await startRig({
    brokerPort: broker.port,
    connectTimeoutMs: 600_000,
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

interface Visit {
  readonly reused: boolean;
  readonly protocol: string | null;
  readonly deploymentId: string | undefined;
  readonly session: Buffer | undefined;
}

/** Connects over TLS and MQTT with the suffix `?deployment=suffix`, and leaves. `through`: a socket of the test's own. */
async function visit(options: ConnectionOptions, through?: Socket): Promise<Visit> {
  const where = through === undefined ? { host: '127.0.0.1', port: tlsPort } : { socket: through };
  const client = dialTls({ ...where, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  client.on('session', (given: Buffer) => {
    session = given;
  });
  const answered = once(client, 'data');
  client.write(connectBytes({ username: 'alice?deployment=suffix' }));
  const [connack] = (await answered) as [Buffer];
  expect(connack.subarray(0, 1).toString('hex')).toBe('20');
  const [reused, protocol] = [client.isSessionReused(), client.getProtocol()];
  client.end(packetBytes({ cmd: 'disconnect' }));
  await once(client, 'close');
  const [request] = rig.requests.splice(0);
  return { reused, protocol, deploymentId: request?.deploymentId, session };
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each(versions)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version };
  const own = { ...only, servername: 'own.mqtt.localhost' };

  test.each([
    ['the same name', 'own.mqtt.localhost', 'own', true],
    ['another name, which decides', 'Other.MQTT.localhost', 'other', undefined],
    ['a name that leaves it to the suffix', 'localhost', 'suffix', undefined],
    ['no name, which leaves it to the suffix', '', 'suffix', undefined],
  ])('a session comes back with %s', async (_name, servername, deploymentId, resumed) => {
    const { session, ...first } = await visit(own);
    expect(first).toEqual({ reused: false, protocol: version, deploymentId: 'own' });
    if (session === undefined) throw new Error('the server gave no session');
    const second = await visit({ ...only, servername, session });
    expect([second.protocol, second.deploymentId]).toEqual([version, deploymentId]);
    // Under another name Node 20 resumes, and Node 24 shakes hands in full.
    if (resumed !== undefined) expect(second.reused).toBe(resumed);
  });

  test('a resumed session is resumed again, by name each time', async () => {
    let { session } = await visit(own);
    for (let n = 0; n < 3; n += 1) {
      const again = await visit({ ...own, ...(session === undefined ? {} : { session }) });
      expect([again.reused, again.deploymentId]).toEqual([true, 'own']);
      session = again.session ?? session;
    }
  });

  test('a session of another front door, whose keys this one lacks, ends in a full handshake by name', async () => {
    const certificate = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
    const twin = await startRig({ brokerPort: broker.port });
    const { port } = await twin.door.listenTls({
      ...{ host: '127.0.0.1', port: 0 },
      ...{ key: certificate.private, cert: certificate.cert },
    });
    const there = dial({ host: '127.0.0.1', port });
    const foreign = dialTls({ socket: there, rejectUnauthorized: false, ...own });
    const given = once(foreign, 'session');
    foreign.write(connectBytes());
    const [session] = (await given) as [Buffer];
    foreign.destroy();
    await twin.close();
    const here = await visit({ ...own, session });
    expect([here.reused, here.deploymentId]).toEqual([false, 'own']);
  });

  test('a ClientHello that comes byte by byte is one', async () => {
    const relayed = await startTrickle(tlsPort, 1);
    const seen = await visit(own, relayed);
    expect(seen.deploymentId).toBe('own');
  });
});

test('a TLS 1.2 client without tickets shakes hands in full each time: no session ids are kept', async () => {
  const options = {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    servername: 'own.mqtt.localhost',
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  const { session } = await visit(options);
  const again = await visit({ ...options, ...(session === undefined ? {} : { session }) });
  expect([again.reused, again.deploymentId]).toEqual([false, 'own']);
});

test.each([
  ['random bytes', Buffer.from('f00dbabe00112233', 'hex')],
  ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a TLS record that is no ClientHello', Buffer.from('160301000502000001ff', 'hex')],
])('%s on the TLS port is closed at once, without effect', async (_name, bytes) => {
  const client = new RawClient(tlsPort);
  client.socket.write(bytes);
  expect(await client.all()).toBe('');
  expect(rig.requests).toEqual([]);
});

test('a ClientHello and then the end is closed without effect', async () => {
  const client = new RawClient(tlsPort, true);
  client.socket.end(Buffer.from('1603010100010000fc0303', 'hex'));
  await client.closed;
  expect(rig.requests).toEqual([]);
});

/** A socket whose bytes reach the port in pieces of so many bytes, until the peer first answers. */
async function startTrickle(port: number, pieceBytes: number): Promise<Socket> {
  const server = createServer((near) => {
    const far = dial({ host: '127.0.0.1', port, noDelay: true });
    let answered = false;
    far.on('data', (chunk) => {
      answered = true;
      near.write(chunk);
    });
    far.on('close', () => near.destroy());
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
    near.on('end', () => far.end());
    near.on('data', async (chunk) => {
      if (answered) return far.write(chunk);
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        far.write(chunk.subarray(at, at + pieceBytes));
        await new Promise(setImmediate);
      }
    });
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return dial({ host: '127.0.0.1', port: address.port });
}
