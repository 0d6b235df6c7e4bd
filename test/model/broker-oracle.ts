// What IoT Core really holds: connections and sessions, by client id. It knows nothing of the table. It says what
// happened, in the order it happened; the queue between here and the product keeps no order.

import {
  type BrokerClientId,
  type ClientId,
  type DeploymentId,
  toBrokerClientId,
  type Username,
} from '../../shared/domain/ids.ts';
import type { Pair } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, type Seconds, seconds } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';

export interface Connection {
  readonly pair: Pair;
  readonly since: Ms;
  readonly expirySeconds: Seconds;
  /** What the one who made it calls it: an attempt and its door, opaque here. */
  readonly tag: Tag;
}

export interface Tag {
  readonly attempt: string;
  readonly witness: 'door' | 'broker';
  readonly door: number | undefined;
  /** Let in while the database did not answer. */
  readonly uncounted: boolean;
}

export interface RealSession {
  readonly deploymentId: DeploymentId;
  readonly clientId: ClientId;
  username: Username;
  readonly sessionIdentifier: string;
  connection: Connection | undefined;
  /** Of the last connection, as changed by its end. */
  expirySeconds: Seconds;
  disconnectedAt: Ms | undefined;
  /** As CONNECT said. */
  readonly askedExpirySeconds: Seconds;
  /** Of the latest connection. */
  readonly tag: Tag;
}

export type BrokerHappening =
  | { readonly type: 'connected'; readonly session: RealSession; readonly connection: Connection }
  | {
      readonly type: 'disconnected';
      readonly session: RealSession;
      readonly connection: Connection;
      /** What the DISCONNECT said, heard by the broker or not. */
      readonly claimed: Seconds | undefined;
      readonly reason: string;
    };

/** A DISCONNECT of a client, and whether the broker has read it. */
export interface Farewell {
  readonly claimed?: Seconds;
  readonly isRead?: boolean;
}

export interface ConnectAsked {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  readonly cleanStart: boolean;
  readonly expirySeconds: Seconds;
  readonly tag: Tag;
}

/** What clocks that differ leave of the two seconds that the product allows for. */
const togetherMs = 5_000;
const forgetVersionMs = 3_600_000;
const maxConnectionMs = 86_400_000;

export class BrokerOracle {
  private readonly clock: Clock;
  private readonly sessions = new Map<BrokerClientId, RealSession>();
  private readonly versions = new Map<BrokerClientId, { version: number; at: Ms }>();
  private identifiers = 0;
  /** Whose session was thrown out by another username's connection within seconds of its own. */
  private readonly thrownOutAtOnce = new Set<string>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Connected, or retained and not expired. */
  live(): RealSession[] {
    return [...this.sessions.values()].filter((session) => this.isLive(session));
  }

  connected(): RealSession[] {
    return this.live().filter((session) => session.connection !== undefined);
  }

  find(deploymentId: DeploymentId, clientId: ClientId): RealSession | undefined {
    const session = this.sessions.get(toBrokerClientId(deploymentId, clientId));
    return session !== undefined && this.isLive(session) ? session : undefined;
  }

  /** The new connection wins over one of the same client id; whose session it was no longer matters. */
  connect(asked: ConnectAsked): BrokerHappening[] {
    const id = toBrokerClientId(asked.deploymentId, asked.clientId);
    const before = this.find(asked.deploymentId, asked.clientId);
    const old = before?.connection;
    const happened: BrokerHappening[] = [];
    if (before !== undefined && before.username !== asked.username) {
      const heardAt = old?.since ?? before.disconnectedAt ?? this.clock.now();
      if (this.clock.now() - heardAt <= togetherMs) this.thrownOutAtOnce.add(`${id}/${before.username}`);
    }
    if (before !== undefined && old !== undefined) {
      happened.push({
        type: 'disconnected',
        session: { ...before },
        connection: old,
        claimed: undefined,
        reason: 'DUPLICATE_CLIENTID',
      });
    }
    const resumed = before !== undefined && !asked.cleanStart ? before.sessionIdentifier : undefined;
    const sessionIdentifier = resumed ?? `s${++this.identifiers}`;
    const connection: Connection = {
      pair: { sessionIdentifier, versionNumber: this.nextVersion(id, before) },
      since: this.clock.now(),
      expirySeconds: asked.expirySeconds,
      tag: asked.tag,
    };
    const { deploymentId, clientId, username, expirySeconds } = asked;
    const session: RealSession = {
      deploymentId,
      clientId,
      username,
      sessionIdentifier,
      connection,
      expirySeconds,
      disconnectedAt: undefined,
      askedExpirySeconds: expirySeconds,
      tag: asked.tag,
    };
    this.sessions.set(id, session);
    happened.push({ type: 'connected', session: { ...session }, connection });
    return happened;
  }

  wasThrownOutAtOnce(of: Pick<RealSession, 'deploymentId' | 'clientId' | 'username'>): boolean {
    return this.thrownOutAtOnce.has(`${toBrokerClientId(of.deploymentId, of.clientId)}/${of.username}`);
  }

  disconnect(session: RealSession, reason: string, { claimed, isRead = true }: Farewell = {}): BrokerHappening[] {
    const { connection } = session;
    if (connection === undefined) return [];
    // A session that was to end with its connection cannot be made to stay [MQTT-3.14.2-2].
    const granted = connection.expirySeconds;
    const keeps = claimed !== undefined && isRead && granted > 0 ? claimed : granted;
    const happened = {
      type: 'disconnected',
      session: { ...session },
      connection,
      claimed,
      reason,
    } as const;
    const id = toBrokerClientId(session.deploymentId, session.clientId);
    session.connection = undefined;
    session.expirySeconds = keeps;
    session.disconnectedAt = this.clock.now();
    this.versions.set(id, { version: connection.pair.versionNumber, at: this.clock.now() });
    if (keeps === 0) this.sessions.delete(id);
    return [happened];
  }

  /** DeleteConnection, with the session: `gone` where there was neither. */
  end(id: BrokerClientId): { readonly answer: 'done' | 'gone'; readonly happened: BrokerHappening[] } {
    const session = this.sessions.get(id);
    if (session === undefined || !this.isLive(session)) return { answer: 'gone', happened: [] };
    const happened = this.disconnect(session, 'API_INITIATED_DISCONNECT');
    this.sessions.delete(id);
    return { answer: 'done', happened };
  }

  /** Connections that the broker cuts because their day is over. */
  cutOld(): BrokerHappening[] {
    const now = this.clock.now();
    return this.connected()
      .filter(({ connection }) => connection !== undefined && now - connection.since >= maxConnectionMs)
      .flatMap((session) => this.disconnect(session, 'CUSTOMAUTH_TTL_EXPIRATION'));
  }

  /** The next time at which a connection's day is over. */
  nextCut(): Ms | undefined {
    const cuts = this.connected().map((session) => this.endOf(session));
    return cuts.length === 0 ? undefined : (Math.min(...cuts) as Ms);
  }

  /** The next time at which something ends by itself. */
  nextEnd(): Ms | undefined {
    const ends = this.live().map((session) => this.endOf(session));
    return ends.length === 0 ? undefined : (Math.min(...ends) as Ms);
  }

  says(id: BrokerClientId): BrokerSays {
    const session = this.sessions.get(id);
    if (session === undefined || !this.isLive(session)) return { kind: 'absent' };
    const { connection, expirySeconds, disconnectedAt } = session;
    if (connection !== undefined) return { kind: 'connected', since: connection.since, expirySeconds };
    return { kind: 'retained', expirySeconds, ...(disconnectedAt === undefined ? {} : { disconnectedAt }) };
  }

  /** Over by itself in so many milliseconds. */
  endsWithin(session: RealSession, lengthMs: number): boolean {
    return session.connection === undefined && this.endOf(session) - this.clock.now() <= lengthMs;
  }

  private endOf(session: RealSession): Ms {
    if (session.connection !== undefined) return addSeconds(session.connection.since, seconds(maxConnectionMs / 1000));
    return addSeconds(session.disconnectedAt ?? this.clock.now(), session.expirySeconds);
  }

  private isLive(session: RealSession): boolean {
    return session.connection !== undefined || this.endOf(session) > this.clock.now();
  }

  /** Grows per client id and skips; begins again after an hour without a connection, unless a session is kept. */
  private nextVersion(id: BrokerClientId, before: RealSession | undefined): number {
    const last = this.versions.get(id);
    const current = before?.connection?.pair.versionNumber ?? last?.version;
    const forgotten = before === undefined && last !== undefined && this.clock.now() - last.at > forgetVersionMs;
    return current === undefined || forgotten ? 0 : current + 1;
  }
}
