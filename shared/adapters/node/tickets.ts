// Tickets: what the front door has decided, carried through the broker to the authorizer. An HMAC over everything it
// says, with a secret that only those two know; worth nothing after 10 s.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ticketSeconds } from '../../config/constants.ts';
import { type AttemptId, parseAttemptId, parseClientId, parseDeploymentId, parseUsername } from '../../domain/ids.ts';
import { ms, type Seconds, seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { TicketClaims, Tickets } from '../../ports/credentials/tickets.ts';

const macBytes = 32;

/** `secret`: at least 256 random bits. */
export function createTickets(secret: Uint8Array, clock: Clock): Tickets {
  if (secret.length < 32) throw new RangeError('a ticket secret has at least 32 bytes');
  const mac = (body: Uint8Array): Buffer => createHmac('sha256', secret).update(body).digest();

  return {
    issue(claims, from = clock.now()) {
      const until = from + ticketSeconds * 1000;
      const nonce = randomBytes(9).toString('base64url');
      const { deploymentId, username, clientId, attempt, expirySeconds, validUntil = null } = claims;
      const body = Buffer.from(
        JSON.stringify([1, until, nonce, deploymentId, username, clientId, attempt, expirySeconds, validUntil]),
        'utf8',
      );
      return Buffer.concat([mac(body), body]).toString('base64url');
    },
    verify(ticket) {
      const bytes = Buffer.from(ticket, 'base64url');
      // Node skips what is not base64url; a ticket of ours comes out as it went in.
      if (bytes.toString('base64url') !== ticket) return undefined;
      const body = bytes.subarray(macBytes);
      if (bytes.length <= macBytes || !timingSafeEqual(mac(body), bytes.subarray(0, macBytes))) return undefined;
      return parseClaims(body.toString('utf8'), clock);
    },
  };
}

/** Only ever sees what this product has signed; read strictly all the same. */
function parseClaims(json: string, clock: Clock): TicketClaims | undefined {
  const claims: unknown = JSON.parse(json);
  if (!Array.isArray(claims) || claims[0] !== 1 || typeof claims[1] !== 'number' || clock.now() > claims[1])
    return undefined;
  const [deployment, user, client, attempt]: unknown[] = claims.slice(3, 7);
  const [expiry, validUntil = null]: unknown[] = claims.slice(7, 9);
  if (typeof deployment !== 'string' || typeof user !== 'string' || typeof client !== 'string') return undefined;
  if (typeof attempt !== 'string' || typeof expiry !== 'number') return undefined;
  if (validUntil !== null && typeof validUntil !== 'number') return undefined;
  const deploymentId = parseDeploymentId(deployment);
  const username = parseUsername(user);
  const attemptId: { ok: boolean; value?: AttemptId } = parseAttemptId(attempt);
  if (!deploymentId.ok || !username.ok || attemptId.value === undefined) return undefined;
  const clientId = parseClientId(deploymentId.value, client);
  if (!clientId.ok) return undefined;
  const expirySeconds: Seconds = seconds(expiry);
  return {
    deploymentId: deploymentId.value,
    username: username.value,
    clientId: clientId.value,
    attempt: attemptId.value,
    expirySeconds,
    ...(validUntil === null ? {} : { validUntil: ms(validUntil) }),
  };
}
