// Asks the custom authorizer as IoT Core does: one event, one answer in time, and every way of not answering properly
// is a refusal.

import { randomUUID } from 'node:crypto';
import type { AuthorizerAnswer, AuthorizerEvent } from '../functions/authorizer/event.ts';
import { type Policy, parsePolicy } from './policy.ts';
import type { Schedule } from './schedule.ts';

export type Authorize = (event: AuthorizerEvent) => Promise<AuthorizerAnswer>;

/** What a CONNECT packet says of its sender; absent where the packet has no such field. */
export interface ConnectFields {
  readonly clientId: string | undefined;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
}

export type Authorized =
  | {
      readonly kind: 'allowed';
      readonly principalId: string;
      readonly policy: Policy;
      readonly disconnectAfterSeconds: number | undefined;
    }
  | { readonly kind: 'refused'; readonly principalId: string | undefined };

/** [AWS: a custom authorizer has 5 s] */
export const authorizerAnswerMs = 5_000;

const principalPattern = /^[a-zA-Z0-9]{1,128}$/;

/** Absent fields are absent, and a clean session, an expiry, a version or an address is nowhere in it. */
function buildAuthorizerEvent({ clientId, username, password }: ConnectFields): AuthorizerEvent {
  return {
    signatureVerified: false,
    protocols: ['mqtt'],
    protocolData: {
      mqtt: {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: Buffer.from(password).toString('base64') }),
        ...(clientId === undefined || clientId === '' ? {} : { clientId }),
      },
    },
    connectionMetadata: { id: randomUUID() },
  };
}

function isInRange(length: number | undefined): boolean {
  return length === undefined || (Number.isInteger(length) && length >= 300 && length <= 86_400);
}

function judge(answer: AuthorizerAnswer): Authorized {
  const {
    isAuthenticated,
    principalId,
    policyDocuments = [],
    disconnectAfterInSeconds,
    refreshAfterInSeconds,
  } = answer;
  const refused = { kind: 'refused', principalId } as const;
  if (isAuthenticated !== true || principalId === undefined || !principalPattern.test(principalId)) return refused;
  if (!isInRange(disconnectAfterInSeconds) || !isInRange(refreshAfterInSeconds)) return refused;
  const policy = parsePolicy(policyDocuments);
  if (policy === undefined) return refused;
  return { kind: 'allowed', principalId, policy, disconnectAfterSeconds: disconnectAfterInSeconds };
}

/** Never throws. */
export async function askAuthorizer(
  authorize: Authorize,
  fields: ConnectFields,
  schedule: Schedule,
  answerMs: number,
): Promise<Authorized> {
  let cancel = (): void => undefined;
  const tooLate = new Promise<Authorized>((resolve) => {
    cancel = schedule(() => resolve({ kind: 'refused', principalId: undefined }), answerMs);
  });
  try {
    // A copy through JSON, as it goes over the wire on AWS: nothing that JSON has not reaches the handler or us.
    const event = JSON.parse(JSON.stringify(buildAuthorizerEvent(fields))) as AuthorizerEvent;
    return await Promise.race([authorize(event).then(judge), tooLate]);
  } catch {
    return { kind: 'refused', principalId: undefined };
  } finally {
    cancel();
  }
}
