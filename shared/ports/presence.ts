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

/** An IoT Core presence event as the topic rule hands it on; untrusted, parsed by the presence use case. */
export type PresenceMessage =
  | { readonly source: 'door'; readonly report: DoorReport }
  | { readonly source: 'broker'; readonly event: unknown };

/** A queue with the guarantees of SQS standard: at least once, unordered. `send` resolves when the message is safe. */
export interface PresenceQueue {
  send(message: PresenceMessage, options?: { readonly delaySeconds?: number }): Promise<void>;
}
