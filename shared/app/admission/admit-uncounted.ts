// Admission while the database does not answer, for a deployment that says `onStoreFailure: admit` (S17). The count is not
// known, so the client is let in. Its admission goes to the presence queue before the answer, so each connected client is
// counted later, over the limit if need be (outage.ts). Decisions of the last minutes still hold: a blocked username stays
// out.

import { outageMemorySeconds } from '../../config/constants.ts';
import type { Username } from '../../domain/ids.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Random } from '../../ports/common/random.ts';
import type { PresenceQueue } from '../../ports/presence/presence.ts';
import type { Names } from '../../ports/presence/sessions.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import { createRecent } from '../common/short-memory.ts';
import type { AdmitDecision, AdmitRequest } from './run.ts';

export interface UncountedPorts {
  readonly queue: PresenceQueue;
  readonly clock: Clock;
  readonly random: Random;
}

/** Remembers what decisions of the last 15 min have shown of usernames and client ids. */
export interface SeenDecisions {
  note(names: Names, decision: AdmitDecision): void;
  isBlocked(names: Names): boolean;
  /** The client id was this username's when it was seen last. */
  isOwn(names: Names): boolean;
}

const maxSeen = 20_000;

export function createSeenDecisions(clock: Clock): SeenDecisions {
  const blocked = createRecent<true>(clock, outageMemorySeconds * 1_000, maxSeen);
  const owners = createRecent<Username>(clock, outageMemorySeconds * 1_000, maxSeen);
  const userKey = (names: Names): string => `${names.deploymentId}|${names.username}`;
  const clientKey = (names: Names): string => `${names.deploymentId}|${names.clientId}`;
  return {
    note(names, decision) {
      if (decision.kind === 'rejected' && decision.reason === 'blocked') blocked.keep(userKey(names), true);
      else blocked.forget(userKey(names));
      if (decision.kind === 'admitted') owners.keep(clientKey(names), names.username);
    },
    isBlocked: (names) => blocked.get(userKey(names)) === true,
    isOwn: (names) => owners.get(clientKey(names)) === names.username,
  };
}

/**
 * The policy of S17: while the database is silent, and where the deployment says so. Contention lets no client in, because
 * clients can cause it themselves.
 */
export function mayAdmitUncounted(error: unknown, { deployment }: ConnectSettings): boolean {
  return error instanceof StoreUnavailable && error.why === 'silent' && deployment.onStoreFailure === 'admit';
}

/** Throws StoreUnavailable where the queue does not take the message: then no process would count the client. */
export async function admitUncounted(
  ports: UncountedPorts,
  seen: SeenDecisions,
  settings: ConnectSettings,
  request: AdmitRequest,
): Promise<AdmitDecision> {
  if (settings.limit?.enabled === true && seen.isBlocked(request)) return { kind: 'rejected', reason: 'blocked' };
  const { deploymentId, username, clientId, expirySeconds, witness, signedBy, protocolVersion, ipAddress } = request;
  const attempt = ports.random.attemptId();
  const message = {
    type: 'admitted',
    deploymentId,
    username,
    clientId,
    attempt,
    place: ports.random.place(),
    at: ports.clock.now(),
    witness,
    expirySeconds,
    ...(signedBy === undefined ? {} : { signedBy }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
  } as const;
  try {
    await ports.queue.put(message);
  } catch (error) {
    throw new StoreUnavailable(error);
  }
  // The owner of the client id cannot be looked up, and the client must inherit nothing of another username (S9).
  const clean = seen.isOwn(request) ? {} : { mustCleanStart: true as const };
  return { kind: 'admitted', attempt, reconnect: false, uncounted: true, ...clean };
}
