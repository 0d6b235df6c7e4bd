// Sessions as admission, confirmation and disconnect leave them, made without a database: a table is filled with them by
// the batch. Nothing in them is drawn: sizes are the same in every run.

import { createHash } from 'node:crypto';
import { leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, endSession } from '../../shared/domain/session/outcome.ts';
import type { Policy, Session } from '../../shared/domain/session/record.ts';
import { type Ms, type Seconds, seconds } from '../../shared/domain/time.ts';

export const policy: Policy = {
  leaseSeconds: seconds(leaseSeconds),
  maxConnectionSeconds: seconds(maxConnectionSeconds),
};

export interface Names {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** 8 bytes that are different for every session, and the same in every run. */
export function placeFor(username: string, n: number): Place {
  return digest(`${username}|${n}`).subarray(0, 8).toString('base64url') as Place;
}

/** Admitted, and not confirmed yet. */
export function startedSession(names: Names, place: Place, at: Ms, expirySeconds: Seconds = seconds(0)): Session {
  const attempt = digest(names.clientId).subarray(0, 16).toString('base64url') as AttemptId;
  const ipAddress = '2001:db8:85a3:8d3:1319:8a2e:370:7348';
  const admission = { attempt, witness: 'door', at, expirySeconds, protocolVersion: 5, ipAddress } as const;
  return startSession(names, place, admission, policy, undefined, false);
}

export function connectedSession(names: Names, place: Place, at: Ms, expirySeconds: Seconds = seconds(0)): Session {
  const started = startedSession(names, place, at, expirySeconds);
  return confirmSession(started, { at, expirySeconds, attempt: started.attempts[0].id }, policy);
}

/** Connected and gone in the same moment. */
export function retainedSession(names: Names, place: Place, at: Ms, expirySeconds: Seconds): Session {
  return endSession(connectedSession(names, place, at, expirySeconds), { at, expirySeconds }, at);
}
