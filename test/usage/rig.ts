// Usage on the real engine: the real stores and the real reader, a clock that only tests move, and ranks that are
// refreshed when a test says so.

import { demoDeployment } from '../../local/seed.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { askingForRanks, type CollectedRanks, collectRankRequests } from '../../shared/app/usage/ask-ranks.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { RankStore } from '../../shared/ports/usage/ranks.ts';
import type { UsageReader, UsernameUsage } from '../../shared/ports/usage/usage.ts';

export const demo = 'demo' as DeploymentId;

export interface UsageRig {
  readonly store: SessionStore;
  readonly settings: SettingsStore;
  readonly ranks: RankStore;
  readonly usage: UsageReader;
  /** What readings asked for. */
  readonly asked: CollectedRanks;
  now: Ms;
  /** Connected sessions of a username, counted; their client ids are numbered on. */
  join(username: string, count?: number): Promise<Session[]>;
  /** Takes as many of them out again, the last first. */
  leave(username: string, count?: number): Promise<void>;
  /** Refreshes every rank whose count has changed since the last time. */
  refresh(): Promise<void>;
}

export async function createUsageRig(client: DocumentClient, tableName: string): Promise<UsageRig> {
  const changed = collectRankRequests();
  const asked = collectRankRequests();
  const bare = createSessionStore(client, tableName, cryptoRandom);
  const store = askingForRanks(bare, changed);
  const ranks = createRankStore(client, tableName, cryptoRandom);
  const settings = createSettingsStore(client, tableName);
  const joined = new Map<string, Session[]>();
  const rig: UsageRig = {
    store,
    settings,
    ranks,
    asked,
    now: ms(1_790_000_000_000),
    usage: createUsageReader(client, tableName, {
      sessions: bare,
      settings,
      clock: { now: () => rig.now },
      ranks: asked,
    }),
    async join(username, count = 1) {
      const mine = joined.get(username) ?? [];
      joined.set(username, mine);
      const fresh = Array.from({ length: count }, (_, n) => sessionOf(username, `c-${mine.length + n}`, rig.now));
      mine.push(...fresh);
      for (const session of fresh) {
        await store.putSession(session, undefined);
        await store.addPlace(
          demo,
          username as Username,
          session.place,
          Number.POSITIVE_INFINITY,
          ms(rig.now + 86_400_000),
        );
      }
      return fresh;
    },
    async leave(username, count = 1) {
      const mine = joined.get(username) ?? [];
      for (const session of mine.splice(-count, count)) {
        const stored = await store.readSession(session);
        if (stored !== undefined) await store.removeSession(session, stored);
        await store.removePlace(demo, username as Username, session.place, false);
      }
    },
    async refresh() {
      if ((await changed.refresh({ store, ranks })) > 0) throw new Error('ranks were left');
    },
  };
  await settings.createDeployment(demoDeployment(rig.now));
  return rig;
}

/** A session as it stands when the front door has confirmed it. */
export function sessionOf(username: string, clientId: string, at: Ms): Session {
  return {
    deploymentId: demo,
    username: username as Username,
    clientId: clientId as ClientId,
    place: cryptoRandom.place(),
    phase: { kind: 'connected', made: { at } },
    attempts: [
      {
        id: cryptoRandom.attemptId(),
        state: 'connected',
        source: 'door',
        admittedAt: at,
        protocolVersion: 5,
        ipAddress: '2001:db8::1',
      },
    ],
    ambiguity: 'none',
    countsUntil: ms(at + 86_400_000),
    dueAt: ms(at + 86_400_000),
    closedPairs: [],
    expirySeconds: seconds(0),
    expiryTold: true,
    recounted: false,
  };
}

export async function allByUsed(
  usage: UsageReader,
  page: { limit: number; order: 'asc' | 'desc'; minUsed?: number },
): Promise<UsernameUsage[]> {
  const seen: UsernameUsage[] = [];
  for (let after: Parameters<UsageReader['listByUsed']>[1]['after']; ; ) {
    const read = await usage.listByUsed(demo, { ...page, ...(after === undefined ? {} : { after }) });
    seen.push(...read.items);
    if (read.next === undefined) return seen;
    after = read.next;
  }
}

export async function allByName(
  usage: UsageReader,
  page: { limit: number; order: 'asc' | 'desc'; prefix?: string },
): Promise<UsernameUsage[]> {
  const seen: UsernameUsage[] = [];
  for (let after: Username | undefined; ; ) {
    const read = await usage.listUsernames(demo, { ...page, ...(after === undefined ? {} : { after }) });
    seen.push(...read.items);
    after = read.items.at(-1)?.username;
    if (!read.more || after === undefined) return seen;
  }
}
