// One small request to an AWS service that speaks JSON, signed with Signature Version 4. For the connect path, which
// needs one call of two services, and pays for whole clients of them at every cold start.
// [AWS: Create a signed AWS API request]

import { createHmac, hash } from 'node:crypto';
import type { LambdaCredentials } from './lambda-credentials.ts';

export interface ServiceCall {
  readonly service: string;
  readonly region: string;
  /** `https://<host>`, without a path: both services take everything at `/`. */
  readonly endpoint: string;
  /** As `secretsmanager.GetSecretValue`. */
  readonly target: string;
  readonly jsonVersion: '1.0' | '1.1';
  readonly input: object;
}

const sha256 = (text: string): string => hash('sha256', text);
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** What is signed besides headers and body; a POST to `/` without a query unless told. */
export interface SignedPart extends Pick<ServiceCall, 'service' | 'region'> {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** As it is sent: each segment encoded once. */
  readonly path?: string;
  /** As it is sent, its names in order. */
  readonly query?: string;
}

/** One segment of a path, as AWS wants it sent: but for letters, digits and `-_.~` everything is encoded. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** For the signature a path is encoded once more than it is sent, but for S3. */
function canonicalPath(service: string, path: string): string {
  return service === 's3' ? path : path.split('/').map(encodeSegment).join('/');
}

/** The last keys that were asked for, each good for one day: a process signs for a few services. */
const signingKeys = new Map<string, Buffer>();
const keysMax = 16;

function signingKey(secret: string, day: string, region: string, service: string): Buffer {
  const name = [day, region, service, secret].join('\n');
  let key = signingKeys.get(name);
  if (key === undefined) {
    if (signingKeys.size >= keysMax) signingKeys.clear();
    key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secret}`, day));
    signingKeys.set(name, key);
  }
  return key;
}

/** The headers of a request, `authorization` among them. `headers`: names in lower case, with `host`. */
export function signHeaders(
  { service, region, method = 'POST', path = '/', query = '' }: SignedPart,
  headers: Readonly<Record<string, string>>,
  body: string,
  credentials: LambdaCredentials,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signed: Record<string, string> = {
    ...headers,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]?.trim()}\n`).join('');
  const canonical = [method, canonicalPath(service, path), query, lines, names.join(';'), sha256(body)].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(secretAccessKey, day, region, service), toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...signed, authorization };
}

/**
 * The service's answer. Throws where it does not say 200 within the time; the error names the call and the code that the
 * service gave, never what was sent or answered.
 */
export async function callService(
  call: ServiceCall,
  credentials: LambdaCredentials,
  timeoutMs: number,
): Promise<Readonly<Record<string, unknown>>> {
  const body = JSON.stringify(call.input);
  const headers = {
    host: new URL(call.endpoint).host,
    'content-type': `application/x-amz-json-${call.jsonVersion}`,
    'x-amz-target': call.target,
  };
  const { host: _sentByFetch, ...sent } = signHeaders(call, headers, body, credentials, new Date());
  const answer = await fetch(call.endpoint, {
    method: 'POST',
    headers: sent,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const told: unknown = await answer.json().catch(() => undefined);
  const fields = typeof told === 'object' && told !== null ? (told as Readonly<Record<string, unknown>>) : {};
  if (answer.status !== 200) throw new Error(`${call.target} answered ${answer.status} ${String(fields.__type ?? '')}`);
  return fields;
}
