// The clients of a run: what each of them is told and when, and what must be true of that whatever the store does.
//
// Exactness is read from what clients are told, never from how the store counts. Whoever was told yes before a CONNECT
// came and has not gone since is counted all through it; so a CONNECT that is let in by a limit while that many are is one
// too many. Whoever was told no while fewer than the limit could have been counted was turned away wrongly.

import { connectBudgetMs } from '../../shared/config/constants.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';
import { deploymentId, type Installation } from './installation.ts';
import type { Seeded } from './seed.ts';
import { Telling } from './telling.ts';

export interface Client {
  readonly username: Username;
  readonly clientId: ClientId;
}

type Kind = 'admitted' | 'reconnected' | 'quota' | 'unavailable' | 'other';

/** Counted for certain, and counted perhaps. */
interface Held {
  certain: number;
  possible: number;
}

export class Clients {
  readonly told: Record<Kind, number> = { admitted: 0, reconnected: 0, quota: 0, unavailable: 0, other: 0 };
  readonly latencies: number[] = [];
  /** Why it was unavailable, and how often. */
  readonly reasons = new Map<string, number>();
  /** Let in within 3 s of its CONNECT. */
  inTime = 0;
  overAdmitted = 0;
  falselyRejected = 0;
  firstAt: number | undefined;
  lastAnswerAt = 0;
  private readonly held = new Map<Username, Held>();
  private readonly telling: Telling;
  private readonly installation: Installation;

  constructor(installation: Installation) {
    this.installation = installation;
    this.telling = new Telling(installation);
  }

  /** One CONNECT, and where it is admitted what the broker tells of it afterwards. */
  async connect(client: Client): Promise<Kind> {
    const { time, password } = this.installation;
    const began = time.now;
    this.firstAt ??= began;
    const held = this.heldBy(client.username);
    const before = held.certain;
    held.possible++;
    const { decision, limit: seen } = await this.installation.ask({ ...client, deploymentId, password });
    const limit = this.installation.whitelist.has(client.username) ? undefined : seen;
    const kind = kindOf(decision);
    this.told[kind]++;
    this.latencies.push(time.now - began);
    this.lastAnswerAt = time.now;
    if (decision.kind === 'admitted' && time.now - began <= connectBudgetMs) this.inTime++;
    if (decision.kind === 'rejected' && kind !== 'quota') this.note(decision.detail);
    if (kind === 'admitted') {
      if (limit !== undefined && before >= limit) this.overAdmitted++;
      held.certain++;
    }
    // An attempt that was not answered may be counted until its lease is over.
    if (kind === 'quota' || kind === 'reconnected') held.possible--;
    if (kind === 'quota' && (limit === undefined || held.possible < limit)) this.falselyRejected++;
    if (decision.kind === 'admitted') this.telling.connected(client, decision.attempt);
    return kind;
  }

  /** It was connected or retained, and counted, before the run began. */
  adopt(sessions: readonly Seeded[]): void {
    for (const { client, attempt } of sessions) {
      const held = this.heldBy(client.username);
      held.certain++;
      held.possible++;
      this.telling.adopt(client, attempt);
    }
  }

  /** The connection ends, and nothing is kept. */
  disconnect(client: Client): void {
    const held = this.heldBy(client.username);
    held.certain--;
    this.telling.disconnected(client);
  }

  usernames(): Iterable<Username> {
    return this.held.keys();
  }

  private heldBy(username: Username): Held {
    const known = this.held.get(username);
    if (known !== undefined) return known;
    const fresh = { certain: 0, possible: 0 };
    this.held.set(username, fresh);
    return fresh;
  }

  private note(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

function kindOf(decision: ConnectDecision): Kind {
  if (decision.kind === 'admitted') return decision.reconnect ? 'reconnected' : 'admitted';
  if (decision.reason === 'quota_exceeded') return 'quota';
  return decision.reason === 'unavailable' ? 'unavailable' : 'other';
}
