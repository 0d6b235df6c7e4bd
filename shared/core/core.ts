// The core, assembled: the one place that gives the session use cases their stores. A caller passes what differs between
// processes, and whatever else its use case needs; all of it passes through. `connect.ts` adds what only CONNECTs need:
// apart, so that no other function pays for it at a cold start. This folder must not know AWS or the environment.

import type { DocumentClient } from '../adapters/dynamodb/common/commands.ts';
import { createSessionStore, type StoreOptions } from '../adapters/dynamodb/presence/session-store.ts';
import { createConnectSettingsReader } from '../adapters/dynamodb/settings/connect-settings.ts';
import { createSettingsCache, type SettingsCache } from '../app/settings/settings-cache.ts';
import { leaseSeconds, maxConnectionSeconds } from '../config/constants.ts';
import type { Policy } from '../domain/session/record.ts';
import { seconds } from '../domain/time.ts';
import type { Clock } from '../ports/common/clock.ts';
import type { Random } from '../ports/common/random.ts';
import type { SessionStore } from '../ports/common/session-store.ts';

export interface CoreAdapters {
  readonly client: DocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A store to share with another core of the process, so that the two share what they read at the same moment. */
  readonly bareStore?: SessionStore;
  /** For tests and the benchmark. */
  readonly storeOptions?: StoreOptions;
  /** Puts something between the use cases and the store. */
  readonly aroundStore?: (store: SessionStore) => SessionStore;
}

/** What the core makes for its use cases out of its adapters. */
export interface CorePorts {
  readonly store: SessionStore;
  readonly policy: Policy;
}

export function createCore<Adapters extends CoreAdapters>(adapters: Adapters): Adapters & CorePorts {
  const { client, tableName, random, storeOptions, bareStore, aroundStore } = adapters;
  const store = bareStore ?? createSessionStore(client, tableName, random, storeOptions);
  const policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };
  return { ...adapters, store: aroundStore?.(store) ?? store, policy };
}

/** Settings as CONNECTs read them, remembered for a few seconds. */
export function createCoreSettings(adapters: Pick<CoreAdapters, 'client' | 'tableName' | 'clock'>): SettingsCache {
  return createSettingsCache(createConnectSettingsReader(adapters.client, adapters.tableName), adapters.clock);
}
