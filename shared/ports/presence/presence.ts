import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import type { Admission } from '../../domain/session/record.ts';
import type { Ms, Seconds } from '../../domain/time.ts';
import type { ScryptCost } from '../credentials/credentials.ts';

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
  /** The attempt was let in without a count, and its own message may come after this one. */
  readonly uncounted?: true;
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
      /** The longest session expiry that the broker may hold: as granted, or as a DISCONNECT made it longer. */
      readonly expirySeconds: Seconds;
      /** A DISCONNECT asked for this other expiry: a reason to ask the broker, and no proof (S10). */
      readonly changedToSeconds?: Seconds;
      /** A persistent session of MQTT 3: no packet tells its expiry, `expirySeconds` is the deployment's stand-in. */
      readonly expiryIsAccounts?: true;
    }
  | {
      /** The admitted CONNECT never became a connection: the broker refused it, or a socket ended before CONNACK. */
      readonly type: 'door.failed';
      /** It was never sent, so it cannot be on its way to the broker either. */
      readonly unsent?: true;
    }
);

/**
 * A client was admitted while the database did not answer (S17), and is to be counted as soon as it does: under this
 * attempt and in this place, so that counting it twice is counting it once.
 */
export type UncountedAdmission = Admission & {
  readonly type: 'admitted';
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  readonly attempt: AttemptId;
  readonly place: Place;
};

/**
 * A password that was right is to be stored anew, under the current key, where the digest that was `seen` is still there.
 * Bytes are base64. It carries digests only, never a password.
 */
export interface HashRenewed extends ScryptCost {
  readonly type: 'password.renewed';
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly seen: string;
  readonly keyId: string;
  readonly salt: string;
  readonly digest: string;
}

/** The presence queue, as those see it who put something there by themselves. */
export interface PresenceQueue {
  /** Resolves when the message is in the queue and will be delivered at least once; throws where that is not certain. */
  put(message: UncountedAdmission | HashRenewed): Promise<void>;
}
