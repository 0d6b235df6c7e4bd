// One process of the product over a table: the real use cases over the real stores, on a client that may be metered. The
// broker is played: it says of each client id what it is told to, and does what a kick asks.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { KickPorts } from '../../shared/app/operations/kick.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import type { FlushingRecorder } from '../../shared/app/rejections/rejection-recorder.ts';
import { doorBudgetMs } from '../../shared/config/constants.ts';
import { createCoreConnect, createCoreRejections } from '../../shared/core/connect.ts';
import { createCore } from '../../shared/core/core.ts';
import type { Connect } from '../../shared/domain/connect.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { CredentialStore } from '../../shared/ports/credentials/credentials.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import type { RejectionStore } from '../../shared/ports/rejections/rejections.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { RankStore } from '../../shared/ports/usage/ranks.ts';
import type { UsageReader } from '../../shared/ports/usage/usage.ts';
import { benchKeys } from '../passwords.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

export interface Core {
  readonly connect: Connect;
  /** For everything that comes after admission, kicks included. */
  readonly lifeCycle: KickPorts;
  readonly settings: SettingsStore;
  readonly credentials: CredentialStore;
  readonly ranks: RankStore;
  readonly usage: UsageReader;
  readonly rejections: FlushingRecorder;
  readonly rejectionStore: RejectionStore;
}

export interface CoreOptions {
  readonly client: DocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** What the broker says, by its client id; `absent` where nothing is said. */
  readonly broker: ReadonlyMap<string, BrokerSays>;
}

export function startProcess({ client, tableName, clock, broker }: CoreOptions): Core {
  const adapters = { client, tableName, clock, random: cryptoRandom, log: quiet };
  const settings = createSettingsStore(client, tableName);
  const rejections = createCoreRejections(adapters);
  const lifeCycle = createCore({
    ...adapters,
    broker: {
      getConnection: async (id: string): Promise<BrokerSays> => broker.get(id) ?? { kind: 'absent' },
      deleteConnection: async (id: string) => (broker.get(id) === undefined ? ('gone' as const) : ('done' as const)),
    },
    pause: async () => undefined,
    kickTries: 1,
  });
  const connect = createCoreConnect({
    ...adapters,
    broker: { deleteConnection: async () => 'gone' },
    budgetMs: doorBudgetMs,
    keys: benchKeys,
    queue: { put: async () => undefined },
  });
  return {
    connect: tellingRefusals(connect, { rejections, clock, log: quiet }),
    lifeCycle,
    settings,
    credentials: createCredentialStore(client, tableName),
    ranks: createRankStore(client, tableName, cryptoRandom),
    usage: createUsageReader(client, tableName, {
      sessions: lifeCycle.store,
      settings,
      clock,
      ranks: { ask: async () => undefined },
    }),
    rejections,
    rejectionStore: createRejectionStore(client, tableName),
  };
}
