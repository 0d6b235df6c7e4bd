// S24 at the sockets: what clients that are not admitted may use, whose socket goes when there is no room, and that the
// work for a client ends when it leaves. Loopback has many addresses, so the sockets come from different ones.
import { execFileSync } from 'node:child_process';
import { connect as dial } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { Strangers } from '../../frontdoor/strangers.ts';
import { loadCertificate } from '../../local/certificate.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import type { ConnectRequest } from '../../shared/domain/connect.ts';
import { ms } from '../../shared/domain/time.ts';
import { createGate } from '../support/gate.ts';
import { testKeys } from '../support/passwords.ts';
import { until } from '../support/until.ts';
import { connectBytes, RawClient, type Rig, reject, startRig } from './rig.ts';

const clock = { now: () => ms(1_000) };
let rig: Rig;
afterEach(() => rig.close());

/** Notices that the front door has closed, and does not close because of that. */
class Client extends RawClient {
  isClosed = false;
  readonly ended: Promise<void>;
  constructor(localAddress = '127.0.0.1') {
    super(rig.port, true, localAddress);
    this.ended = new Promise((resolve) => this.socket.once('end', resolve));
    void this.ended.then(() => {
      this.isClosed = true;
    });
  }
}

async function arrive(from: string, count: number): Promise<readonly Client[]> {
  const clients: Client[] = [];
  for (let n = 0; n < count; n++) {
    const client = new Client(from);
    await new Promise((resolve) => client.socket.once('connect', resolve));
    clients.push(client);
  }
  return clients;
}

const open = (clients: readonly Client[]) => clients.filter(({ isClosed }) => !isClosed).length;

describe('sockets without an admission', () => {
  test('are bounded by source address', async () => {
    rig = await startRig({ maxUnadmittedOfAddress: 3 });
    const many = await arrive('127.0.0.2', 5);
    const one = await arrive('127.0.0.3', 1);
    await until(() => expect([open(many), open(one)]).toEqual([3, 1]));
    expect([rig.door.unadmitted(), rig.door.takeShed(), rig.door.takeShed()]).toEqual([4, 2, 0]);
  });

  test('are bounded in all, and the newest of the address with the most makes room', async () => {
    rig = await startRig({ maxUnadmitted: 5 });
    const many = await arrive('127.0.0.2', 5);
    await until(() => expect(rig.door.unadmitted()).toBe(5));
    const others = [...(await arrive('127.0.0.3', 1)), ...(await arrive('127.0.0.4', 1))];
    await until(() => expect([open(many), open(others)]).toEqual([3, 2]));
    expect(many.map(({ isClosed }) => isClosed)).toEqual([false, false, false, true, true]);
    const more = await arrive('127.0.0.2', 3);
    await until(() => expect([open(many), open(others), open(more)]).toEqual([3, 2, 0]));
  });

  test('have a time for their first byte while the room is crowded', async () => {
    rig = await startRig({ firstByteTimeoutMs: 100, connectTimeoutMs: 600_000, maxUnadmitted: 8 });
    const begun = new Client();
    begun.socket.write(connectBytes().subarray(0, 1));
    // With one of them the room is not crowded yet, with two it is.
    for (const idle of await arrive('127.0.0.1', 2)) await idle.ended;
    expect([begun.isClosed, rig.door.unadmitted()]).toEqual([false, 1]);
  });

  test('may be as slow as a CONNECT may be while the room is not crowded', async () => {
    rig = await startRig({ firstByteTimeoutMs: 20, connectTimeoutMs: 400 });
    const begunAt = performance.now();
    const [idle] = await arrive('127.0.0.1', 1);
    await idle?.ended;
    expect(performance.now() - begunAt).toBeGreaterThanOrEqual(390);
  });

  test('have that time once more after a TLS handshake, and a slow handshake is no reason to go', async () => {
    rig = await startRig({ firstByteTimeoutMs: 100, connectTimeoutMs: 600_000, maxUnadmitted: 8 });
    const { key, cert } = await loadCertificate(undefined, clock);
    const { port } = await rig.door.listenTls({ host: '127.0.0.1', port: 0, key, cert });
    const half = dial({ host: '127.0.0.1', port });
    let halfIsClosed = false;
    half.once('close', () => {
      halfIsClosed = true;
    });
    half.write(Buffer.from('16030100f1', 'hex'));
    const client = dialTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    client.on('error', () => undefined).resume();
    await new Promise((resolve) => client.once('close', resolve));
    expect(halfIsClosed).toBe(false);
    half.destroy();
  });

  test('keep so many bytes in all; the largest of the address with the most goes, a short CONNECT never', async () => {
    rig = await startRig({ maxUnadmittedBytes: 200_000 });
    const long = connectBytes({ will: { topic: 'w', payload: Buffer.alloc(60_000) } });
    const short = (await arrive('127.0.0.3', 1))[0];
    short?.socket.write(connectBytes().subarray(0, -1));
    const flood = await arrive('127.0.0.2', 6);
    for (const client of flood) client.socket.write(long.subarray(0, -1));
    await until(() => expect(open(flood)).toBe(3));
    expect(short?.isClosed).toBe(false);
    expect(rig.door.takeShed()).toBe(3);
  });

  test('are not counted as connections, and a refused one is none either', async () => {
    rig = await startRig({ decide: () => reject('bad_credentials') });
    const refused = new RawClient(rig.port, true);
    refused.socket.write(connectBytes());
    await until(() => expect(refused.received.length).toBeGreaterThan(0));
    expect([rig.door.connections(), rig.door.unadmitted()]).toEqual([0, 1]);
    refused.socket.destroy();
  });
});

describe('source addresses whose sockets bring no login', () => {
  const bounds = { free: 2, perSecond: 1, forgetMs: 60_000 };
  /** A busy process, whose clock stands still: one socket more passes, and then none. */
  const strangers = () =>
    new Strangers(
      () => true,
      bounds,
      () => 1_000,
    );
  const knock = async (from: string, password: string): Promise<string> => {
    const client = new RawClient(rig.port, false, from);
    client.socket.write(connectBytes({ clientId: password, password: Buffer.from(password) }));
    await client.closed;
    return client.received.toString('hex');
  };
  const decide = async ({ password }: ConnectRequest) =>
    reject(String(password) === 'right' ? 'quota_exceeded' : 'bad_credentials');

  test('are closed at accept, before anything is read; no other address is', async () => {
    rig = await startRig({ decide, strangers: strangers() });
    const told: string[] = [];
    for (let n = 0; n < 4; n++) told.push(await knock('127.0.0.2', 'wrong'));
    expect(told.map((answer) => answer !== '')).toEqual([true, true, true, false]);
    expect(await knock('127.0.0.3', 'wrong')).not.toBe('');
    expect(rig.requests).toHaveLength(4);
    expect(rig.door.takeShed()).toBe(1);
  });

  test('are restored by a login, also by one that the quota turns away', async () => {
    rig = await startRig({ decide, strangers: strangers() });
    for (const password of ['wrong', 'wrong', 'right', 'wrong', 'wrong', 'wrong'])
      expect(await knock('127.0.0.2', password), password).not.toBe('');
    expect(await knock('127.0.0.2', 'wrong')).toBe('');
  });
});

test('a socket that was reset before it was accepted has left: nothing is read of it', async () => {
  rig = await startRig();
  const count = 20;
  // This process accepts nothing while it waits for the other to end.
  const script = `
    const { connect } = require('node:net');
    for (let n = 0; n < ${count}; n++) {
      const socket = connect({ host: '127.0.0.1', port: ${rig.port} }, () =>
        socket.write(Buffer.from('${connectBytes({}).toString('hex')}', 'hex'), () => socket.resetAndDestroy()));
    }`;
  execFileSync(process.execPath, ['-e', script]);
  let shed = 0;
  await until(() => {
    shed += rig.door.takeShed();
    expect(shed).toBe(count);
  });
  expect(rig.requests).toEqual([]);
});

describe('password checks of clients', () => {
  /** Two checks under way do not end until the gate opens. */
  async function guarded() {
    const gate = createGate();
    const checked: string[] = [];
    const real = createPasswordCrypto();
    const hmac: typeof real.hmac = (key, password) => {
      checked.push(Buffer.from(password).toString());
      return real.hmac(key, password);
    };
    const scrypt: typeof real.scrypt = async (password, ...rest) => {
      await gate.opened;
      return real.scrypt(password, ...rest);
    };
    const cost = { n: 16, r: 8, p: 1 };
    const passwords = createPasswords(
      { crypto: { ...real, hmac, scrypt }, keys: testKeys, clock },
      { cost, maxRunning: 2, maxWaiting: 500 },
    );
    const outcomes: string[] = [];
    const decide = async ({ username = '', password, left, hints }: ConnectRequest) => {
      const share = { deployment: 'demo', address: hints?.ipAddress ?? '' };
      const asker = left === undefined ? { share } : { share, left };
      outcomes.push(await passwords.check(username, undefined, password ?? Buffer.alloc(0), asker));
      return reject('bad_credentials');
    };
    rig = await startRig({ decide });
    const guess = async (from: string, name: string): Promise<Client> => {
      const client = new Client(from);
      client.socket.write(connectBytes({ username: name, password: Buffer.from(name) }));
      return client;
    };
    const guesses = (from: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => guess(from, `guess-${n}`)));
    return { gate, checked, outcomes, guess, guesses };
  }

  test('70 whose sockets close at once leave nothing to be checked before the next', async () => {
    const { gate, checked, guess, guesses } = await guarded();
    const gone = await guesses('127.0.0.2', 70);
    await until(() => expect(rig.requests).toHaveLength(70));
    for (const { socket } of gone) socket.end();
    await until(() => expect(rig.requests.filter(({ left }) => left?.aborted === true)).toHaveLength(70));
    const next = await guess('127.0.0.2', 'next');
    await until(() => expect(rig.requests).toHaveLength(71));
    gate.open();
    await until(() => expect(next.received.length).toBeGreaterThan(0));
    expect(checked).toHaveLength(3);
    expect(checked[2]).toBe('next');
  });

  test('200 that stay are one share: another address waits for one turn of it', async () => {
    const { gate, checked, guess, guesses } = await guarded();
    await guesses('127.0.0.2', 200);
    await until(() => expect(rig.requests).toHaveLength(200));
    await guess('127.0.0.3', 'next');
    await until(() => expect(rig.requests).toHaveLength(201));
    gate.open();
    await until(() => expect(checked).toHaveLength(201));
    expect(checked.indexOf('next')).toBeLessThanOrEqual(2 + 8);
  });

  test('that wait when the front door closes are refused and never run', async () => {
    const { gate, checked, outcomes, guesses } = await guarded();
    await guesses('127.0.0.2', 100);
    await until(() => expect(rig.requests).toHaveLength(100));
    const closed = rig.close();
    await until(() => expect(outcomes).toEqual(Array(98).fill('overloaded')));
    gate.open();
    await closed;
    expect(checked).toHaveLength(2);
  });

  test.each([
    ['a reset', (client: Client) => void client.socket.resetAndDestroy(), true, Buffer.alloc(0)],
    ['an end with nothing behind the CONNECT', (client: Client) => void client.socket.end(), true, Buffer.alloc(0)],
    ['an end with half a packet', (client: Client) => void client.socket.end(), true, Buffer.from('30050001', 'hex')],
    ['an end with a whole packet', (client: Client) => void client.socket.end(), false, Buffer.from('e000', 'hex')],
    [
      'a reset with a whole packet',
      (client: Client) => void client.socket.resetAndDestroy(),
      true,
      Buffer.from('e000', 'hex'),
    ],
  ])('are dropped, or not: after %s', async (_what, leave, hasLeft, behind) => {
    const gate = createGate();
    const hadLeft: unknown[] = [];
    rig = await startRig({
      decide: async ({ left }) => {
        await gate.opened;
        hadLeft.push(left?.aborted);
        return reject('bad_credentials');
      },
    });
    const client = new Client();
    client.socket.write(Buffer.concat([connectBytes(), behind]));
    await until(() => expect(rig.requests).toHaveLength(1));
    leave(client);
    if (hasLeft) await until(() => expect(rig.requests[0]?.left?.aborted).toBe(true));
    // What comes later is seen later: by now the end has been.
    const next = new Client();
    next.socket.write(connectBytes());
    await until(() => expect(rig.requests).toHaveLength(2));
    gate.open();
    await until(() => expect(hadLeft).toEqual([hasLeft, false]));
    for (const { socket } of [client, next]) socket.destroy();
  });
});
