import type { BrokerClientId } from '../../domain/ids.ts';
import type { Ms, Seconds } from '../../domain/time.ts';

/** What the broker says of one client id. */
export type BrokerSays =
  | { readonly kind: 'connected'; readonly since?: Ms; readonly expirySeconds?: Seconds }
  /** A persistent session without a connection. */
  | { readonly kind: 'retained'; readonly disconnectedAt?: Ms; readonly expirySeconds?: Seconds }
  /** Neither a connection nor a session. */
  | { readonly kind: 'absent' }
  /** Throttled, unavailable or timed out: nothing is known. */
  | { readonly kind: 'unknown' };

/**
 * The truth about connections, one client id at a time (IoT Core GetConnection, DeleteConnection: 100 calls a second
 * each, for the whole account). Never throws: what cannot be known is `unknown`.
 */
export interface Broker {
  getConnection(id: BrokerClientId): Promise<BrokerSays>;
  /** Ends the connection and, with `cleanSession`, its persistent session. `gone` where there was neither. */
  deleteConnection(
    id: BrokerClientId,
    options: { readonly cleanSession: boolean },
  ): Promise<'done' | 'gone' | 'unknown'>;
}
