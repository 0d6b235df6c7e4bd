// An admission that waits to be counted, as it comes out of the queue. Only the front door, the authorizer and the rule
// may write there; it is read strictly all the same.

import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import {
  type Place,
  parseAttemptId,
  parseClientId,
  parseDeploymentId,
  parseUsername,
} from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { UncountedAdmission } from '../../shared/ports/presence.ts';

const placePattern = /^[A-Za-z0-9_-]{11}$/;

/** Undefined: not one. Throws where it says to be one and is not. */
export function parseAdmitted(body: unknown): UncountedAdmission | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const given = body as Readonly<Record<string, unknown>>;
  if (given.type !== 'admitted') return undefined;
  const malformed = (what: string) => new TypeError(`malformed admission: ${what}`);
  const text = (name: string): string => {
    const value = given[name];
    if (typeof value !== 'string') throw malformed(name);
    return value;
  };
  const deploymentId = parseDeploymentId(text('deploymentId'));
  const username = parseUsername(text('username'));
  const attempt = parseAttemptId(text('attempt'));
  if (!deploymentId.ok || !username.ok || !attempt.ok) throw malformed('names');
  const clientId = parseClientId(deploymentId.value, text('clientId'));
  if (!clientId.ok) throw malformed('clientId');
  const { place, at, expirySeconds, witness, protocolVersion, ipAddress } = given;
  if (typeof place !== 'string' || !placePattern.test(place)) throw malformed('place');
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) throw malformed('at');
  if (typeof expirySeconds !== 'number' || !Number.isInteger(expirySeconds)) throw malformed('expirySeconds');
  if (expirySeconds < 0 || expirySeconds > sessionExpirySecondsMax) throw malformed('expirySeconds');
  if (witness !== 'door' && witness !== 'broker') throw malformed('witness');
  if (protocolVersion !== undefined && protocolVersion !== 3 && protocolVersion !== 4 && protocolVersion !== 5)
    throw malformed('protocolVersion');
  if (ipAddress !== undefined && typeof ipAddress !== 'string') throw malformed('ipAddress');
  return {
    type: 'admitted',
    deploymentId: deploymentId.value,
    username: username.value,
    clientId: clientId.value,
    attempt: attempt.value,
    place: place as Place,
    at: ms(at),
    expirySeconds: seconds(expirySeconds),
    witness,
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
  };
}
