// Operations of the local run: the same worker as on AWS, behind a queue of its own in this process. What waits there
// ends with the process; the records of operations lead the next one to it.

import { applyOperations } from '../functions/operations/apply.ts';
import type { DocumentClient } from '../shared/adapters/dynamodb/common/commands.ts';
import { createOperationStore } from '../shared/adapters/dynamodb/operations/operation-store.ts';
import { createDeploymentItems } from '../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { realPause } from '../shared/adapters/node/clock.ts';
import { cryptoRandom, newOperationId } from '../shared/adapters/node/random.ts';
import { signersOf } from '../shared/adapters/node/signers.ts';
import { createPace, paced } from '../shared/app/common/pace.ts';
import type { KickPorts } from '../shared/app/operations/kick.ts';
import { type StartPorts, wakeOverdue } from '../shared/app/operations/operations.ts';
import type { LifeCyclePorts } from '../shared/app/presence/step.ts';
import { kicksPerSecond } from '../shared/config/constants.ts';
import type { Log } from '../shared/ports/common/log.ts';
import type { CredentialStore } from '../shared/ports/credentials/credentials.ts';
import type { TokenIssuerStore } from '../shared/ports/credentials/token-issuer.ts';
import type { DeploymentItems } from '../shared/ports/operations/operations.ts';
import type { SettingsStore } from '../shared/ports/settings/settings.ts';
import { every } from './every.ts';
import { createLocalQueue } from './queue.ts';

export interface LocalOperationsOptions {
  readonly client: DocumentClient;
  readonly tableName: string;
  readonly lifeCycle: LifeCyclePorts;
  readonly settings: SettingsStore;
  readonly credentials: CredentialStore;
  readonly issuers: TokenIssuerStore;
  readonly log: Log;
}

export interface LocalOperations {
  /** What the API needs of it. */
  readonly kicks: KickPorts;
  readonly starts: StartPorts;
  readonly items: DeploymentItems;
  /** Resolves when no worker is at work any more. */
  stop(): Promise<void>;
}

/** As long as a Lambda function would be at work on one message. */
const sliceMs = 20_000;
const redeliverAfterMs = 5_000;
const lookEveryMs = 5_000;

export function startLocalOperations(options: LocalOperationsOptions): LocalOperations {
  const { client, tableName, lifeCycle, settings, credentials, issuers, log } = options;
  const { clock, broker } = lifeCycle;
  const operations = createOperationStore(client, tableName, cryptoRandom);
  const items = createDeploymentItems(client, tableName);
  const kicks: KickPorts = { ...lifeCycle, pause: realPause, kickTries: 3 };
  let stopping = false;

  const queue = createLocalQueue({
    clock,
    visibilityMs: redeliverAfterMs,
    handler(event) {
      const endAt = clock.now() + sliceMs;
      return applyOperations(worker, event, () => stopping || clock.now() > endAt);
    },
  });
  const pace = createPace({ clock, pause: realPause }, kicksPerSecond);
  const worker = {
    ...kicks,
    // What cannot be ended now has its turn in the next pass.
    kickTries: 1,
    broker: paced(broker, pace),
    operations,
    items,
    settings,
    credentials,
    issuers,
    signersOf,
    log,
    queue,
  };
  const starts: StartPorts = { operations, queue, newOperationId, clock, log };
  const stopLooking = every(lookEveryMs, async () => void (await wakeOverdue(starts)));
  return {
    kicks,
    starts,
    items,
    async stop() {
      stopping = true;
      await stopLooking();
      await queue.close();
    },
  };
}
