// The answer to one CONNECT, whoever asks: the front door or the authorizer. Checks run in the order of S7:
// credentials, deployment state, client id, blocked, quota. Until the credentials are right, every way to fail does
// the same work and gets the same answer (S6).

import { sessionExpirySecondsMax } from '../config/constants.ts';
import type { RejectReason } from '../domain/connack.ts';
import type { Connect, ConnectDecision, ConnectRequest } from '../domain/connect.ts';
import { parseClientId, parseDeploymentId, parseUsername } from '../domain/ids.ts';
import { type Seconds, seconds } from '../domain/time.ts';
import type { CredentialStore, PasswordCheck } from '../ports/credentials.ts';
import { StoreUnavailable } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { RejectionRecorder } from '../ports/rejections.ts';
import { type AdmitPorts, admit } from './admit.ts';
import type { SettingsCache } from './settings-cache.ts';

export interface ConnectPorts extends AdmitPorts {
  readonly settings: SettingsCache;
  readonly credentials: Pick<CredentialStore, 'getCredential'>;
  readonly passwords: PasswordCheck;
  readonly rejections: RejectionRecorder;
  readonly log: Log;
}

const nothing = new Uint8Array();

export function createConnect(ports: ConnectPorts): Connect {
  return async (request) => {
    try {
      return await connect(ports, request);
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

async function connect(ports: ConnectPorts, request: ConnectRequest): Promise<ConnectDecision> {
  const receivedAt = ports.clock.now();
  const deployment = parseDeploymentId(request.deploymentId ?? '');
  const user = parseUsername(request.username ?? '');
  const password = request.password ?? nothing;
  const known = deployment.ok && user.ok;
  const [settings, credential] = known
    ? await Promise.all([
        ports.settings.get(deployment.value),
        ports.credentials.getCredential(deployment.value, user.value),
      ])
    : [undefined, undefined];
  // A deployment that is gone may have left credentials behind; they are worth nothing.
  const checked = await ports.passwords.check(
    JSON.stringify([request.deploymentId, request.username]),
    settings === undefined ? undefined : credential,
    password,
  );
  if (checked === 'overloaded') return rejected('unavailable', 'too many password checks wait');
  if (checked === 'wrong' || !known || settings === undefined) return rejected('bad_credentials', 'bad credentials');

  const deploymentId = deployment.value;
  const username = user.value;
  if (settings.deployment.status !== 'active')
    return rejected('not_authorized', `deployment is ${settings.deployment.status}`);
  const id = parseClientId(deploymentId, request.clientId);
  if (!id.ok) return rejected('client_id', id.problem);
  const clientId = id.value;
  const { hints } = request;
  const expirySeconds = expiryOf(request, settings.deployment.sessionExpirySeconds);
  const decision = await admit(ports, settings, {
    deploymentId,
    username,
    clientId,
    expirySeconds,
    receivedAt,
    witness: hints === undefined ? 'broker' : 'door',
    ...(hints === undefined ? {} : { protocolVersion: hints.protocolVersion }),
    ...(hints?.ipAddress === undefined ? {} : { ipAddress: hints.ipAddress }),
  });
  if (decision.kind === 'admitted') {
    const { attempt, reconnect, mustCleanStart } = decision;
    return { kind: 'admitted', deploymentId, username, clientId, attempt, expirySeconds, reconnect, mustCleanStart };
  }
  if (decision.reason === 'quota_exceeded') ports.rejections.record({ deploymentId, username, clientId });
  return rejected(decision.reason === 'blocked' ? 'not_authorized' : decision.reason, decision.reason);
}

/** What the session is counted with until it is confirmed. Without hints the deployment's setting stands in (S10). */
function expiryOf(request: ConnectRequest, ofDeployment: Seconds): Seconds {
  const { hints } = request;
  if (hints === undefined) return ofDeployment;
  if (hints.protocolVersion === 5) return seconds(Math.min(hints.expirySeconds ?? 0, sessionExpirySecondsMax));
  return hints.cleanStart ? seconds(0) : ofDeployment;
}

function rejected(reason: RejectReason, detail: string): ConnectDecision {
  return { kind: 'rejected', reason, detail };
}
