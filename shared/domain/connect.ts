// One CONNECT, as whoever received it hands it to the core, and the answer.

import type { RejectReason } from './connack.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from './ids.ts';
import type { Proven } from './refusal.ts';
import type { Ms, Seconds } from './time.ts';

/** What only a party that reads the packets knows. Absent where the authorizer event is all there is. */
export interface ConnectHints {
  readonly protocolVersion: 3 | 4 | 5;
  /** MQTT 5 clean start, MQTT 3 clean session. */
  readonly cleanStart: boolean;
  /** Session Expiry Interval asked for; for MQTT 3 with clean session 0 absent: the deployment's setting holds. */
  readonly expirySeconds?: Seconds;
  readonly ipAddress?: string;
}

/** All fields are untrusted. */
export interface ConnectRequest {
  /** From the TLS server name or the user name's `?deployment=` suffix; undefined where neither names one. */
  readonly deploymentId: string | undefined;
  /** The user name without its suffix; undefined where the CONNECT has none. */
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  /** Without the deployment's prefix; undefined or empty where the CONNECT has none. */
  readonly clientId: string | undefined;
  /** What stands in its place where that is no client id of the deployment: for the log and the records only. */
  readonly sentClientId?: string;
  /** Present if the front door asks, absent if the authorizer does. */
  readonly hints?: ConnectHints;
  /**
   * Aborted when the client has left (S24), or its time is over: it leaves every queue and is not counted. Absent where
   * the end of the client cannot be seen.
   */
  readonly left?: AbortSignal;
  /** Called as soon as the credentials are right: before that, no refusal is told of a name (S6). */
  readonly onProven?: (who: Proven) => void;
}

export type ConnectDecision =
  | {
      readonly kind: 'admitted';
      readonly deploymentId: DeploymentId;
      readonly username: Username;
      readonly clientId: ClientId;
      readonly attempt: AttemptId;
      /** The session expiry this admission was counted with. */
      readonly expirySeconds: Seconds;
      /** The client id had a live session already: `used` did not change (S3). */
      readonly reconnect: boolean;
      /** The broker must start a fresh session: whose the client id was could not be looked up (S9, S17). */
      readonly mustCleanStart?: true;
      /** Let in while the database did not answer: its count waits in the presence queue (S17). */
      readonly uncounted?: true;
      /** When its admission began, where it waited for its turn before: its time to reach the broker runs from then. */
      readonly turnAt?: Ms;
      /** The connection must not outlive this: what vouches for the username ends then. Absent: it does not end. */
      readonly validUntil?: Ms;
    }
  | {
      readonly kind: 'rejected';
      readonly reason: RejectReason;
      /** For the log of the operator; never sent to the client. */
      readonly detail: string;
    };

/** Takes at most the time it was given; never throws: what cannot be answered is rejected as `unavailable`. */
export type Connect = (request: ConnectRequest) => Promise<ConnectDecision>;
