// One process of the product over a table: the real use cases over the real stores, on a client that may be metered. The
// broker is played: it says of each client id what it is told to, and does what a kick asks.

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createRejectionStore } from '../../shared/adapters/dynamodb/rejections/rejection-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createUsageReader } from '../../shared/adapters/dynamodb/usage/usage-reader.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTokenCheck } from '../../shared/adapters/node/token-check.ts';
import { createConnect } from '../../shared/app/admission/connect.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { tokenAlgorithms } from '../../shared/app/credentials/public-keys.ts';
import type { KickPorts } from '../../shared/app/operations/kick.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import { createRejectionRecorder, type FlushingRecorder } from '../../shared/app/rejections/rejection-recorder.ts';
import { createCredentialCache, createSettingsCache } from '../../shared/app/settings/settings-cache.ts';
import { doorBudgetMs, leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import type { Connect } from '../../shared/domain/connect.ts';
import { seconds } from '../../shared/domain/time.ts';
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
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** What the broker says, by its client id; `absent` where nothing is said. */
  readonly broker: ReadonlyMap<string, BrokerSays>;
}

export function createCore({ client, tableName, clock, broker }: CoreOptions): Core {
  const store = createSessionStore(client, tableName, cryptoRandom);
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  const rejectionStore = createRejectionStore(client, tableName);
  const rejections = createRejectionRecorder({
    store: rejectionStore,
    clock,
    log: quiet,
    newSumId: () => cryptoRandom.attemptId(),
  });
  const policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };
  return {
    connect: tellingRefusals(
      createConnect({
        broker: { deleteConnection: async () => 'gone' },
        budgetMs: doorBudgetMs,
        store,
        settings: createSettingsCache(settings, clock),
        credentials: createCredentialCache(credentials, clock),
        passwords: createPasswords({ crypto: createPasswordCrypto(), keys: benchKeys, clock }),
        tokens: createTokenCheck(tokenAlgorithms),
        clock,
        random: cryptoRandom,
        queue: { put: async () => undefined },
        log: quiet,
        policy,
      }),
      { rejections, clock, log: quiet },
    ),
    lifeCycle: {
      store,
      clock,
      random: cryptoRandom,
      policy,
      broker: {
        getConnection: async (id) => broker.get(id) ?? { kind: 'absent' },
        deleteConnection: async (id) => (broker.get(id) === undefined ? 'gone' : 'done'),
      },
      pause: async () => undefined,
      kickTries: 1,
    },
    settings,
    credentials,
    ranks: createRankStore(client, tableName, cryptoRandom),
    usage: createUsageReader(client, tableName, {
      sessions: store,
      settings,
      clock,
      ranks: { ask: async () => undefined },
    }),
    rejections,
    rejectionStore,
  };
}
