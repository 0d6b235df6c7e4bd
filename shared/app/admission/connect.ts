// The answer to one CONNECT, for the front door and for the authorizer. Checks run in the order of S7: credentials,
// deployment state, client id, blocked, quota. Every failure before right credentials does the same work and gets the same
// answer (S6).

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

/** The state of a process that outlives a CONNECT. */
interface Memory {
  readonly seen: SeenDecisions;
  /** Readings for clients whose password is not verified: bounded, so that they leave the database to verified clients. */
  readonly readings: FairTurns;
  readonly ofUsername: InLine;
  /**
   * CONNECTs of one client id write the same items, so side by side they would make each other repeat. Each line belongs to
   * one username and client id. Two usernames' CONNECTs on a client id stand in two lines, so at most one of each line
   * meets in the conditional writes.
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
      // The time budget starts at the turn. By then password or settings may have changed, or the database is silent.
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

/** Decides by the count, or without it where the database does not answer and the deployment says so (S17). */
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
    // The failed attempt may have written its record. The uncounted attempt meets that record later, or its lease runs out.
    if (!mayAdmitUncounted(error, settings)) throw error;
    return admitUncounted(ports, seen, settings, request);
  }
}

/** The expiry that counts until the session is confirmed. Without hints it is the deployment's setting (S10). */
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
