// A CONNECT that is refused although its credentials are right: whose it is, and why, in the words of the API.

import type { RejectReason } from './connack.ts';
import type { DeploymentId, Username } from './ids.ts';

/** What is recorded (S5). `unavailable` is not: it says nothing about the username, and the database may be what fails. */
export const recordedReasons = ['quota', 'blocked', 'suspended', 'client_id_invalid', 'client_id_taken'] as const;

export type RecordedReason = (typeof recordedReasons)[number];

/** Whose CONNECT it is, once its credentials are right. */
export interface Proven {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
}

export interface Refusal extends Proven {
  /** As the client sent it, at most 128 bytes of it: it need not be a legal one. Empty where the client sent none. */
  readonly clientId: string;
  readonly reason: RecordedReason;
}

/** In the words of the API; `bad_credentials` has none. */
export const toldReasons: Readonly<Record<RejectReason, RecordedReason | 'unavailable' | undefined>> = {
  bad_credentials: undefined,
  blocked: 'blocked',
  suspended: 'suspended',
  client_id: 'client_id_invalid',
  client_id_held: 'client_id_taken',
  quota_exceeded: 'quota',
  unavailable: 'unavailable',
};

const shownBytes = 128;

/** So much of a client id as is shown; what is no Unicode becomes U+FFFD. */
export function shownClientId(sent: string | undefined): string {
  const bytes = Buffer.from(sent ?? '');
  if (bytes.length <= shownBytes) return bytes.toString();
  // A character that the cut has broken is left out.
  return bytes
    .subarray(0, shownBytes)
    .toString()
    .replace(/\uFFFD$/u, '');
}
