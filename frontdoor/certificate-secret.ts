// What the front door shows to its clients: `{"certificate": "<PEM, the whole chain>", "key": "<PEM>"}`.

export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

/** Throws without a word of what is in it. */
export function parseCertificate(secret: Uint8Array): CertificateAndKey {
  const problem = 'the certificate secret must be {"certificate": "<PEM>", "key": "<PEM>"}';
  let told: unknown;
  try {
    told = JSON.parse(Buffer.from(secret).toString('utf8'));
  } catch {
    throw new Error(problem);
  }
  if (typeof told !== 'object' || told === null || !('certificate' in told) || !('key' in told))
    throw new Error(problem);
  const { certificate, key } = told;
  if (typeof certificate !== 'string' || typeof key !== 'string') throw new Error(problem);
  if (!certificate.includes('BEGIN CERTIFICATE') || !key.includes('PRIVATE KEY')) throw new Error(problem);
  return { cert: certificate, key };
}
