import type { AttemptId, ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import type { Ms, Seconds } from '../../domain/time.ts';

/** What the front door vouches for, and the authorizer believes instead of a second password check and admission. */
export interface TicketClaims {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  readonly attempt: AttemptId;
  readonly expirySeconds: Seconds;
  /** The connection must not outlive this. */
  readonly validUntil?: Ms;
}

/** Tickets are valid for 10 s. */
export interface Tickets {
  /** `from`: the 10 s begin then, when the CONNECT came; now unless told. So no CONNECT is later than its attempt's grace. */
  issue(claims: TicketClaims, from?: Ms): string;
  /** Undefined for a ticket that is malformed, forged or expired. Compares in constant time. */
  verify(ticket: string): TicketClaims | undefined;
}
