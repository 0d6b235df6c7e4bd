// A front door's report as it comes out of the queue. Only the front door and the rule may write there; it is read
// strictly all the same.

import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import { parseAttemptId, parseClientId, parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence.ts';

const types = new Set(['door.connected', 'door.disconnected', 'door.failed']);

/** Undefined: not a front door's report. Throws where it says to be one and is not. */
export function parseDoorReport(body: unknown): DoorReport | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const report = body as Readonly<Record<string, unknown>>;
  if (typeof report.type !== 'string' || !types.has(report.type)) return undefined;
  const deploymentId = parseDeploymentId(String(report.deploymentId));
  const username = parseUsername(String(report.username));
  const attempt = parseAttemptId(String(report.attempt));
  if (!deploymentId.ok || !username.ok || !attempt.ok || typeof report.at !== 'number')
    throw new TypeError('malformed report');
  const clientId = parseClientId(deploymentId.value, String(report.clientId));
  if (!clientId.ok) throw new TypeError('malformed report');
  const common = {
    deploymentId: deploymentId.value,
    username: username.value,
    clientId: clientId.value,
    attempt: attempt.value,
    at: ms(report.at),
    ...(report.uncounted === true ? { uncounted: true as const } : {}),
  };
  if (report.type === 'door.failed') return { ...common, type: 'door.failed' };
  if (typeof report.expirySeconds !== 'number') throw new TypeError('malformed report');
  // A client may ask for more in its DISCONNECT than any broker keeps.
  const expirySeconds = seconds(Math.min(Math.max(0, report.expirySeconds), sessionExpirySecondsMax));
  return report.type === 'door.connected'
    ? { ...common, type: 'door.connected', expirySeconds }
    : { ...common, type: 'door.disconnected', expirySeconds };
}
