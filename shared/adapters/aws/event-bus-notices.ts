// Threshold notices as events on an EventBridge bus, where rules pass them on to whoever listens. One small signed
// request: a client of EventBridge would be in every bundle, also where nobody asked for notices.

import { noticeDetailType, noticeSource } from '../../config/notices.ts';
import type { Notices } from '../../ports/usage/notices.ts';
import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { callService } from './signed-request.ts';

/** The queue's messages behind it wait no longer than for a database that is slow. */
const timeoutMs = 2_000;

/** `endpoint`: somebody else than AWS, in tests. */
export function createEventBusNotices(
  eventBusName: string,
  region: string,
  endpoint = process.env.AWS_ENDPOINT_URL ?? `https://events.${region}.${suffixOf(region)}`,
  credentials: () => Promise<LambdaCredentials> = async () => readLambdaCredentials(),
): Notices {
  return {
    async tell({ at, ...notice }) {
      const entry = {
        EventBusName: eventBusName,
        Source: noticeSource,
        DetailType: noticeDetailType,
        Detail: JSON.stringify({ ...notice, at: new Date(at).toISOString() }),
      };
      const call = {
        service: 'events',
        region,
        endpoint,
        target: 'AWSEvents.PutEvents',
        jsonVersion: '1.1',
        input: { Entries: [entry] },
      } as const;
      const answer = await callService(call, await credentials(), timeoutMs);
      // The call itself succeeds where its only entry was not taken. [AWS: PutEvents, handling failures]
      if (answer.FailedEntryCount !== 0) throw new Error(`PutEvents took nothing: ${codeOf(answer.Entries)}`);
    },
  };
}

const suffixOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');

function codeOf(entries: unknown): string {
  const [first]: unknown[] = Array.isArray(entries) ? entries : [];
  return typeof first === 'object' && first !== null && 'ErrorCode' in first ? String(first.ErrorCode) : 'no code';
}
