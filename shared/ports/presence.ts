import type { AttemptId, ClientId, DeploymentId, Username } from '../domain/ids.ts';
import type { Ms, Seconds } from '../domain/time.ts';

/**
 * One thing that happened to a connection, as told by the front door, which knows the attempt. Delivered at least
 * once, late, in any order.
 */
export type DoorReport = {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  readonly attempt: AttemptId;
  readonly at: Ms;
} & (
  | {
      /** The broker's CONNACK said yes. */
      readonly type: 'door.connected';
      /** Session expiry as the broker granted it. */
      readonly expirySeconds: Seconds;
    }
  | {
      /** The connection is over: DISCONNECT, or the socket's end. */
      readonly type: 'door.disconnected';
      /** Session expiry at the end; a DISCONNECT may have changed it. */
      readonly expirySeconds: Seconds;
    }
  | {
      /** The admitted CONNECT never became a connection: the broker refused it, or a socket ended before CONNACK. */
      readonly type: 'door.failed';
    }
);
