// The broker of a run: who is connected, and the question about one client, 100 times a second for the whole account.

import { getConnectionPerSecond } from '../../shared/config/constants.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { type Ms, type Seconds, seconds } from '../../shared/domain/time.ts';
import type { Broker, BrokerSays } from '../../shared/ports/broker.ts';
import { TokenBucket } from '../contention/token-bucket.ts';
import type { VirtualTime } from './virtual-time.ts';

interface Connection {
  readonly since: Ms;
  readonly expirySeconds: Seconds;
}

const answerMs = 15;

export class SimulatedBroker implements Broker {
  private readonly connections = new Map<BrokerClientId, Connection>();
  private readonly bucket = new TokenBucket(getConnectionPerSecond, getConnectionPerSecond);
  private readonly time: VirtualTime;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  connect(id: BrokerClientId, expirySeconds: number): void {
    this.connections.set(id, { since: this.time.clock.now(), expirySeconds: seconds(expirySeconds) });
  }

  /** Of sessions that nobody keeps, nothing is left. */
  disconnect(id: BrokerClientId): void {
    this.connections.delete(id);
  }

  async getConnection(id: BrokerClientId): Promise<BrokerSays> {
    await this.time.pause(answerMs);
    if (!this.bucket.take(1, this.time.now)) return { kind: 'unknown' };
    const found = this.connections.get(id);
    return found === undefined ? { kind: 'absent' } : { kind: 'connected', ...found };
  }

  async deleteConnection(): Promise<never> {
    throw new Error('nobody kicks here');
  }
}
