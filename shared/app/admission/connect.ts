// The answer to one CONNECT, whoever asks: the front door or the authorizer. Checks run in the order of S7:
// credentials, deployment state, client id, blocked, quota. Until the credentials are right, every way to fail does
// the same work and gets the same answer (S6).

import {
  admissionsAtOnce,
  admissionsWaitingMax,
  connectsOfClientIdWaitingMax,
  readingsAtOnce,
  readingsWaitingMax,
  sessionExpirySecondsMax,
} from '../../config/constants.ts';
import type { RejectReason } from '../../domain/connack.ts';
import type { Connect, ConnectDecision, ConnectRequest } from '../../domain/connect.ts';
import { parseClientId } from '../../domain/ids.ts';
import { type Ms, type Seconds, seconds } from '../../domain/time.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Log } from '../../ports/common/log.ts';
import { type Authenticated, type AuthenticatePorts, authenticate } from '../credentials/authenticate.ts';
import { admit } from './admit.ts';
import {
  admitUncounted,
  createSeenDecisions,
  mayAdmitUncounted,
  type SeenDecisions,
  type UncountedPorts,
} from './admit-uncounted.ts';
import { createFairTurns, type FairTurns } from './fair-turns.ts';
import { createLines, type InLine } from './in-line.ts';
import type { AdmitDecision, AdmitPorts, AdmitRequest } from './run.ts';

export interface ConnectPorts extends Omit<AdmitPorts, 'settings'>, AuthenticatePorts, UncountedPorts {
  readonly log: Log;
}

export function createConnect(ports: ConnectPorts): Connect {
  const memory = {
    seen: createSeenDecisions(ports.clock),
    readings: createFairTurns({ maxRunning: readingsAtOnce, maxWaiting: readingsWaitingMax }),
    ofUsername: createLines({ atOnce: admissionsAtOnce, maxWaiting: admissionsWaitingMax }),
    ofClientId: createLines({ atOnce: 1, maxWaiting: connectsOfClientIdWaitingMax }),
  };
  return async (request) => {
    try {
      return await connect(ports, memory, request);
    } catch (error) {
      if (!(error instanceof StoreUnavailable))
        ports.log.error('a CONNECT could not be decided', { error: String(error) });
      return rejected(
        'unavailable',
        error instanceof Error ? `${error.message}: ${String(error.cause ?? '')}` : String(error),
      );
    }
  };
}

/** What a process keeps from one CONNECT to the next. */
interface Memory {
  readonly seen: SeenDecisions;
  /** Readings for clients whose password is not verified: bounded, so that they leave the database to the others. */
  readonly readings: FairTurns;
  readonly ofUsername: InLine;
  /**
   * CONNECTs of one client id write the same items: side by side they would only send each other back. The line belongs to
   * a username: another username's CONNECTs on the client id stand in a line of their own, and meet this one at most once
   * at a time, in the conditional writes.
   */
  readonly ofClientId: InLine;
}

async function connect(ports: ConnectPorts, memory: Memory, request: ConnectRequest): Promise<ConnectDecision> {
  const receivedAt = ports.clock.now();
  const { left } = request;
  if (isGone(request)) return hasLeft;
  const who = await authenticate(ports, memory.readings, request);
  if (who.kind !== 'right' || who.fromMemory) return answer(ports, memory.seen, request, who, receivedAt);
  const { deploymentId, username } = who;
  request.onProven?.({ deploymentId, username });
  const decision = await memory.ofClientId(`${deploymentId}|${username}|${request.clientId}`, left, (waitedForIts) =>
    memory.ofUsername(`${deploymentId}|${username}`, left, async (waited) => {
      if (!waitedForIts && !waited) return answer(ports, memory.seen, request, who, receivedAt);
      // Its time runs from its turn on, and by then a password or a setting may be another one, or the database be gone.
      const turnAt = ports.clock.now();
      const again = await authenticate(ports, memory.readings, request, who.credential);
      const decided = await answer(ports, memory.seen, request, again, turnAt);
      return decided.kind === 'admitted' ? { ...decided, turnAt } : decided;
    }),
  );
  if (decision !== undefined) return decision;
  return isGone(request) ? hasLeft : rejected('unavailable', 'too many CONNECTs of the username wait');
}

async function answer(
  ports: ConnectPorts,
  seen: SeenDecisions,
  request: ConnectRequest,
  who: Authenticated,
  receivedAt: Ms,
): Promise<ConnectDecision> {
  if (isGone(request)) return hasLeft;
  if (who.kind === 'overloaded') return rejected('unavailable', 'too many password checks wait');
  if (who.kind === 'wrong') return rejected('bad_credentials', 'bad credentials');
  const { deploymentId, username, settings, token } = who;
  request.onProven?.({ deploymentId, username });
  if (settings.deployment.status !== 'active')
    return rejected('suspended', `deployment is ${settings.deployment.status}`);
  const id = parseClientId(deploymentId, request.clientId);
  if (!id.ok) return rejected('client_id', id.problem);
  const clientId = id.value;
  const { hints } = request;
  const expirySeconds = expiryOf(request, settings.deployment.sessionExpirySeconds);
  const decision = await decide(ports, seen, who, {
    deploymentId,
    username,
    clientId,
    expirySeconds,
    receivedAt,
    witness: hints === undefined ? 'broker' : 'door',
    ...(hints === undefined ? {} : { protocolVersion: hints.protocolVersion }),
    ...(hints?.ipAddress === undefined ? {} : { ipAddress: hints.ipAddress }),
    ...(token === undefined ? {} : { signedBy: token.signedBy }),
  });
  if (decision.kind === 'admitted') {
    const { attempt, reconnect, mustCleanStart, uncounted } = decision;
    return {
      kind: 'admitted',
      deploymentId,
      username,
      clientId,
      attempt,
      expirySeconds,
      reconnect,
      ...(mustCleanStart === undefined ? {} : { mustCleanStart }),
      ...(uncounted === undefined ? {} : { uncounted }),
      ...(token === undefined ? {} : { validUntil: token.validUntil }),
    };
  }
  return rejected(decision.reason, decision.reason);
}

/** By the count, or without it where the database does not answer and the deployment says so (S17). */
async function decide(
  ports: ConnectPorts,
  seen: SeenDecisions,
  { settings, fromMemory }: Authenticated & { readonly kind: 'right' },
  request: AdmitRequest,
): Promise<AdmitDecision> {
  if (fromMemory) return admitUncounted(ports, seen, settings, request);
  try {
    const decision = await admit(ports, settings, request);
    seen.note(request, decision);
    return decision;
  } catch (error) {
    // What has been written of the attempt that failed is met by the one that is counted later, or left to its lease.
    if (!mayAdmitUncounted(error, settings)) throw error;
    return admitUncounted(ports, seen, settings, request);
  }
}

/** What the session is counted with until it is confirmed. Without hints the deployment's setting stands in (S10). */
function expiryOf(request: ConnectRequest, ofDeployment: Seconds): Seconds {
  const { hints } = request;
  if (hints === undefined) return ofDeployment;
  if (hints.protocolVersion === 5) return seconds(Math.min(hints.expirySeconds ?? 0, sessionExpirySecondsMax));
  return hints.cleanStart ? seconds(0) : ofDeployment;
}

function isGone({ left }: ConnectRequest): boolean {
  return left?.aborted === true;
}

const hasLeft = rejected('unavailable', 'the client has left');

function rejected(reason: RejectReason, detail: string): ConnectDecision {
  return { kind: 'rejected', reason, detail };
}
