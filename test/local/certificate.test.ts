import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCertificate } from '../../local/certificate.ts';
import { ms } from '../../shared/domain/time.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-certificate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const day = 86_400_000;
const at = (lengthMs: number) => ({ now: () => ms(Date.now() + lengthMs) });

test.each(['localhost', 'demo.mqtt.localhost'])('a client that trusts it may dial %s', async (servername) => {
  const certificate = await loadCertificate(undefined, at(0));
  const server = createServer({ ...certificate }, (socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', servername, ca: certificate.cert });
  await once(socket, 'secureConnect');
  expect(socket.authorized).toBe(true);
  socket.destroy();
  server.close();
});

test('it is kept, its key for its owner only, and the same after a restart', async () => {
  const first = await loadCertificate(folder, at(0));
  expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, 'certificate.pem'), 'utf8')).toBe(first.cert);
  expect(await loadCertificate(folder, at(300 * day))).toEqual(first);
});

test('it is replaced before it ends', async () => {
  const first = await loadCertificate(folder, at(0));
  const second = await loadCertificate(folder, at(340 * day));
  expect(second.cert).not.toBe(first.cert);
  expect(await loadCertificate(folder, at(340 * day))).toEqual(second);
});

test.each(['key.pem', 'certificate.pem'])('a %s that is not the other half is replaced with it', async (name) => {
  const first = await loadCertificate(folder, at(0));
  const other = await loadCertificate(undefined, at(0));
  writeFileSync(join(folder, name), name === 'key.pem' ? other.key : other.cert);
  const second = await loadCertificate(folder, at(0));
  expect([first.cert, other.cert]).not.toContain(second.cert);
});

test('what is no PEM is replaced', async () => {
  writeFileSync(join(folder, 'key.pem'), 'x');
  writeFileSync(join(folder, 'certificate.pem'), 'x');
  expect((await loadCertificate(folder, at(0))).cert).toContain('BEGIN CERTIFICATE');
});
