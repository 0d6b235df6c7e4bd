// The broker of a run: who is connected, and the question about one client, 100 times a second for the whole account.

import { getConnectionPerSecond } from '../../shared/config/constants.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Broker, BrokerSays } from '../../shared/ports/presence/broker.ts';
import { TokenBucket } from './token-bucket.ts';
import type { VirtualTime } from './virtual-time.ts';

type Kept = Extract<BrokerSays, { readonly kind: 'connected' | 'retained' }>;

const answerMs = 15;

export class SimulatedBroker implements Broker {
  private readonly sessions = new Map<BrokerClientId, Kept>();
  private readonly bucket = new TokenBucket(getConnectionPerSecond, getConnectionPerSecond);
  private readonly time: VirtualTime;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  connect(id: BrokerClientId, expirySeconds: number): void {
    this.sessions.set(id, { kind: 'connected', since: this.time.clock.now(), expirySeconds: seconds(expirySeconds) });
  }

  /** A session that is there without a connection. */
  retain(id: BrokerClientId, expirySeconds: number): void {
    const disconnectedAt = this.time.clock.now();
    this.sessions.set(id, { kind: 'retained', disconnectedAt, expirySeconds: seconds(expirySeconds) });
  }

  /** Of sessions that nobody keeps, nothing is left. */
  disconnect(id: BrokerClientId): void {
    this.sessions.delete(id);
  }

  async getConnection(id: BrokerClientId): Promise<BrokerSays> {
    await this.time.pause(answerMs);
    if (!this.bucket.take(1, this.time.now)) return { kind: 'unknown' };
    return this.sessions.get(id) ?? { kind: 'absent' };
  }

  async deleteConnection(): Promise<never> {
    throw new Error('nobody kicks here');
  }
}
