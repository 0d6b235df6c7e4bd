// DeleteConnection of IoT Core's data plane as one small signed request: for the connect path, which needs nothing else
// of that service and pays for a whole client of it at every cold start.

import type { Broker } from '../../ports/presence/broker.ts';
import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { encodeSegment, signHeaders } from './signed-request.ts';

/** A client waits for it while its CONNECT's time runs. */
const timeoutMs = 1_200;

/** `endpoint`: somebody else than AWS, in tests; the variables are the SDK's own. One try: the account's 100 calls a second are shared by all. */
export function createIotConnections(
  region: string,
  endpoint = process.env.AWS_ENDPOINT_URL_IOT_DATA_PLANE ??
    process.env.AWS_ENDPOINT_URL ??
    `https://data-ats.iot.${region}.${suffixOf(region)}`,
  credentials: () => Promise<LambdaCredentials> = async () => readLambdaCredentials(),
): Pick<Broker, 'deleteConnection'> {
  return {
    async deleteConnection(id, { cleanSession }) {
      const path = `/connections/${encodeSegment(id)}`;
      const query = `cleanSession=${cleanSession}`;
      const scope = { service: 'iotdata', region, method: 'DELETE', path, query } as const;
      try {
        const { host } = new URL(endpoint);
        const { host: _sentByFetch, ...headers } = signHeaders(scope, { host }, '', await credentials(), new Date());
        const signal = AbortSignal.timeout(timeoutMs);
        const answer = await fetch(`${endpoint}${path}?${query}`, {
          method: 'DELETE',
          headers,
          redirect: 'error',
          signal,
        });
        // Read to its end, or the connection is not used again.
        await answer.arrayBuffer();
        if (answer.ok) return 'done';
        // Only the service itself may say that there is nothing: a wrong address says 404 as well.
        const error = answer.headers.get('x-amzn-errortype') ?? '';
        return answer.status === 404 && error.startsWith('ResourceNotFoundException') ? 'gone' : 'unknown';
      } catch {
        return 'unknown';
      }
    },
  };
}

const suffixOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');
