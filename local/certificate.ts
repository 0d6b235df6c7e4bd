// The local run's own certificate for MQTT over TLS. Clients that want to check it take `certificate.pem` of the data
// directory as their certificate authority.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { addSeconds, type Ms, ms, seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import { writePrivateFile } from './private-file.ts';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

const validSeconds = seconds(365 * 86_400);
/** A certificate that ends sooner than this is replaced at start. */
const renewSeconds = seconds(30 * 86_400);

/** `*` stands for one deployment id. */
const names = ['localhost', '*.mqtt.localhost'];

function isUsable({ key, cert }: Certificate, now: Ms): boolean {
  const parsed = new X509Certificate(cert);
  // A process that died between writing the two files leaves a key that is not the certificate's.
  if (!parsed.checkPrivateKey(createPrivateKey(key))) return false;
  if (!names.every((name) => parsed.subjectAltName?.includes(`DNS:${name}`))) return false;
  return Date.parse(parsed.validFrom) <= now && Date.parse(parsed.validTo) >= addSeconds(now, renewSeconds);
}

function readCertificate(folder: string, now: Ms): Certificate | undefined {
  try {
    const certificate = {
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
      cert: readFileSync(join(folder, 'certificate.pem'), 'utf8'),
    };
    return isUsable(certificate, now) ? certificate : undefined;
  } catch {
    // Not there, or no PEM: a new one is no loss.
    return undefined;
  }
}

async function createCertificate(now: Ms): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // An hour of slack, for a clock that steps back.
    notBeforeDate: new Date(ms(now - 3_600_000)),
    notAfterDate: new Date(addSeconds(now, validSeconds)),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { key, cert };
}

/** The certificate in `folder`, or a new one, kept there; without a folder it is new and kept nowhere. */
export async function loadCertificate(folder: string | undefined, clock: Clock): Promise<Certificate> {
  const now = clock.now();
  const existing = folder === undefined ? undefined : readCertificate(folder, now);
  if (existing !== undefined) return existing;
  const certificate = await createCertificate(now);
  if (folder !== undefined) {
    writePrivateFile(join(folder, 'key.pem'), certificate.key);
    writePrivateFile(join(folder, 'certificate.pem'), certificate.cert);
  }
  return certificate;
}
