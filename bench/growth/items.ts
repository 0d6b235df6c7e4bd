// Sessions at rest by the hundred thousand, as admission and confirmation would have left them.

import { createHash } from 'node:crypto';
import { leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { confirmSession, type Policy, type Session, startSession } from '../../shared/domain/session.ts';
import { addSeconds, type Ms, seconds } from '../../shared/domain/time.ts';
import { buildRanked, buildRoster, buildSession, placeFor } from '../usage/fill.ts';

type Item = Record<string, unknown>;

const policy: Policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };

function connectedSession(deploymentId: DeploymentId, username: Username, n: number, at: Ms): Session {
  const names = { deploymentId, username, clientId: `${username}-${String(n).padStart(8, '0')}` as ClientId };
  const attempt = createHash('sha256').update(names.clientId).digest().subarray(0, 16).toString('base64url');
  const admission = {
    attempt: attempt as AttemptId,
    witness: 'door' as const,
    at,
    expirySeconds: seconds(0),
    protocolVersion: 5 as const,
    ipAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
  };
  const born = startSession(names, placeFor(username, n), admission, policy, undefined, {
    changed: false,
    supersedes: [],
  });
  return confirmSession(born, { at, expirySeconds: seconds(0), attempt: admission.attempt }, policy);
}

/** One username with `count` connected sessions, ranked. */
export function* sessionsOf(id: DeploymentId, username: Username, count: number, at: Ms): Generator<Item> {
  for (let n = 0; n < count; n++) yield buildSession(connectedSession(id, username, n, at));
  const places = Array.from({ length: count }, (_, n) => placeFor(username, n));
  yield buildRoster(id, username, places, addSeconds(at, policy.maxConnectionSeconds));
  yield buildRanked(id, username, count);
}

const sessionsEach = 10;

/** So many sessions, ten of each username. */
export function* sessionsAtRest(id: DeploymentId, sessions: number, at: Ms): Generator<Item> {
  for (let n = 0; n < sessions / sessionsEach; n++)
    yield* sessionsOf(id, `crowd-${String(n).padStart(6, '0')}` as Username, sessionsEach, at);
}
