// Presence events of a real IoT Core, read by its operator: MQTT over WebSocket with AWS credentials, on the account's own
// endpoint. Needs iot:DescribeEndpoint, and iot:Connect, iot:Subscribe and iot:Receive for these topics.
// [AWS IoT: MQTT over WebSocket, Signature Version 4 in the query; the session token stands behind the signature]

import { createHash, createHmac, randomUUID } from 'node:crypto';
import { connectAsync } from 'mqtt';
import type { LambdaCredentials } from '../../shared/adapters/aws/lambda-credentials.ts';
import { signHeaders } from '../../shared/adapters/aws/signed-request.ts';
import type { PresenceEvent, PresenceWatch } from './target.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export function webSocketUrl(host: string, region: string, credentials: LambdaCredentials, now: Date): string {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const service = 'iotdevicegateway';
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${time}`,
    'X-Amz-Expires=86400',
    'X-Amz-SignedHeaders=host',
  ].join('&');
  const canonical = ['GET', '/mqtt', query, `host:${host}\n`, 'host', hash('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, time.slice(0, 8)));
  const signature = hmac(key, toSign).toString('hex');
  const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${encodeURIComponent(sessionToken)}`;
  return `wss://${host}/mqtt?${query}&X-Amz-Signature=${signature}${token}`;
}

async function findEndpoint(region: string, credentials: LambdaCredentials): Promise<string> {
  const host = `iot.${region}.amazonaws.com`;
  const query = 'endpointType=iot%3AData-ATS';
  const scope = { service: 'iot', region, method: 'GET', path: '/endpoint', query } as const;
  const { host: _sentByFetch, ...headers } = signHeaders(scope, { host }, '', credentials, new Date());
  const answer = await fetch(`https://${host}/endpoint?${query}`, { headers });
  const { endpointAddress } = (await answer.json()) as { readonly endpointAddress?: string };
  if (endpointAddress === undefined) throw new Error(`the account's endpoint is not told: ${answer.status}`);
  return endpointAddress;
}

/** Collects events by client id; `watchEvents` is what it is fed by. */
export function collectEvents(): { note(event: object): void; of: PresenceWatch['of'] } {
  const seen = new Map<string, PresenceEvent[]>();
  return {
    note(event) {
      const { clientId } = event as PresenceEvent;
      seen.set(clientId, [...(seen.get(clientId) ?? []), event as PresenceEvent]);
    },
    of: (clientId) => seen.get(clientId) ?? [],
  };
}

export async function watchPresence(region: string, credentials: LambdaCredentials): Promise<PresenceWatch> {
  const host = await findEndpoint(region, credentials);
  const client = await connectAsync(
    webSocketUrl(host, region, credentials, new Date()),
    { protocolVersion: 4, clientId: `headcount-trial-${randomUUID()}`, reconnectPeriod: 0 },
    false,
  );
  const { note, of } = collectEvents();
  client.on('message', (_topic, bytes) => note(JSON.parse(bytes.toString())));
  const kinds = ['connected', 'disconnected', 'connect_failed'];
  await client.subscribeAsync(
    kinds.map((kind) => `$aws/events/presence/${kind}/#`),
    { qos: 1 },
  );
  return { of, close: () => client.endAsync(true) };
}
