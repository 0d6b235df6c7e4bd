// IoT Core as the one who knows which connections there are. One try a call: the account's 100 calls a second are
// shared by all, and whoever asked can ask again later.

import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  type GetConnectionCommandOutput,
  IoTDataPlaneClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot-data-plane';
import { type Ms, ms, type Seconds, seconds } from '../../domain/time.ts';
import type { Broker } from '../../ports/presence/broker.ts';

export function createIotBroker(): Broker {
  const client = new IoTDataPlaneClient({
    maxAttempts: 1,
    requestHandler: { requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return {
    async getConnection(id) {
      try {
        const answer = await client.send(new GetConnectionCommand({ clientId: id }));
        const expiry = readExpiry(answer);
        if (answer.connected === true) return { kind: 'connected', ...at('since', answer.connectedSince), ...expiry };
        // What has ended is still told of for half an hour; with nothing to keep there is no session.
        if (answer.cleanSession !== false && (answer.sessionExpiry ?? 0) === 0) return { kind: 'absent' };
        return { kind: 'retained', ...at('disconnectedAt', answer.disconnectedSince), ...expiry };
      } catch (error) {
        return error instanceof ResourceNotFoundException ? { kind: 'absent' } : { kind: 'unknown' };
      }
    },
    async deleteConnection(id, { cleanSession }) {
      try {
        await client.send(new DeleteConnectionCommand({ clientId: id, cleanSession }));
        return 'done';
      } catch (error) {
        return error instanceof ResourceNotFoundException ? 'gone' : 'unknown';
      }
    },
  };
}

/** A session that is kept has an expiry: 0 is then no answer to how long. */
function readExpiry({
  cleanSession,
  sessionExpiry,
}: Pick<GetConnectionCommandOutput, 'cleanSession' | 'sessionExpiry'>): { readonly expirySeconds?: Seconds } {
  if (sessionExpiry === undefined || (cleanSession === false && sessionExpiry === 0)) return {};
  return { expirySeconds: seconds(sessionExpiry) };
}

function at<K extends string>(key: K, value: number | Date | undefined): { readonly [P in K]?: Ms } {
  return value === undefined ? {} : ({ [key]: ms(Number(value)) } as { readonly [P in K]?: Ms });
}
