// Operations on the real engine: the worker as its function calls it, a queue that a test empties, a clock that moves
// only when somebody waits, and a broker that really ends what it is told to.

import { applyOperations, type OperationPorts } from '../../functions/operations/apply.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createOperationStore } from '../../shared/adapters/dynamodb/operations/operation-store.ts';
import type { StoreOptions } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createDeploymentItems } from '../../shared/adapters/dynamodb/tenancy/deployment-items.ts';
import { cryptoRandom, newOperationId } from '../../shared/adapters/node/random.ts';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { type StartPorts, wakeOverdue } from '../../shared/app/operations/operations.ts';
import { createCore as createProductCore } from '../../shared/core/core.ts';
import type { AttemptId, DeploymentId, OperationId, SignerId, TenantId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Operation, OperationMessage } from '../../shared/ports/operations/operations.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import { allItems } from '../support/all-items.ts';
import { deploymentOf } from '../support/deployment.ts';
import type { TestTable } from '../support/engine.ts';
import { quietLog } from '../support/quiet-log.ts';
import type { Mortal } from './mortal.ts';
import { type Core, createCore } from './rig.ts';

const tenantId = 'local' as TenantId;
export const demo = { deploymentId: 'demo' as DeploymentId, tenantId, startedBy: 'tests' };

export interface OperationsRig {
  readonly core: Core;
  readonly starts: StartPorts;
  readonly ports: OperationPorts;
  /** Messages that wait, in order. */
  readonly queue: { readonly message: OperationMessage; readonly delaySeconds: number }[];
  /** Client ids that the broker was told to end, in order. */
  readonly told: string[];
  /** What the broker answers instead of doing as it is told. */
  deaf: boolean;
  /** Happens at the broker before a client id is ended. */
  meanwhile: ((clientId: string) => Promise<unknown>) | undefined;
  /** Connected, for the core and for the broker. */
  connected(username: string, clientId: string, expiry?: number, signedBy?: SignerId): Promise<AttemptId>;
  retained(username: string, clientId: string, signedBy?: SignerId): Promise<void>;
  /** One message, as the function gets it; `mortal`: by a worker that dies. */
  deliver(message: OperationMessage, options?: { mortal?: Mortal; mustStop?: () => boolean }): Promise<unknown>;
  /** Until nothing waits any more: the clock moves on where a message is delayed. Answers how many messages it took. */
  drain(options?: { mustStop?: () => boolean }): Promise<number>;
  /** The clock moves on until somebody looks for operations that nobody is at, and finds some. */
  wakeOverdue(): Promise<number>;
  operation(id: OperationId): Promise<Operation | undefined>;
  /** Keys of all items whose key names the deployment, operations aside. */
  itemsOf(deploymentId: string): Promise<string[]>;
}

export async function createOperationsRig(table: TestTable, options: StoreOptions = {}): Promise<OperationsRig> {
  const { client, tableName } = table;
  const core = createCore(client, tableName, undefined, options);
  core.max = undefined;
  const clock = { now: core.now };
  const settings = createSettingsStore(client, tableName);
  await settings.createDeployment(deploymentOf('demo', 'local'));
  const queue: OperationsRig['queue'] = [];
  const told: string[] = [];
  const broker: Broker = {
    getConnection: async (id) => core.broker.get(id.slice('demo:'.length)) ?? { kind: 'absent' },
    async deleteConnection(id) {
      const clientId = id.slice('demo:'.length);
      if (rig.deaf) return 'unknown';
      await rig.meanwhile?.(clientId);
      told.push(clientId);
      return core.broker.delete(clientId) ? 'done' : 'gone';
    },
  };
  const buildPorts = (mortal?: Mortal): OperationPorts => {
    const documents = mortal === undefined ? client : mortal.client(client);
    return createProductCore({
      client: documents,
      tableName,
      storeOptions: options,
      clock,
      random: cryptoRandom,
      broker: mortal === undefined ? broker : mortal.broker(broker),
      pause: async (milliseconds: number) => core.advance(milliseconds / 1_000),
      kickTries: 1,
      operations: createOperationStore(documents, tableName, cryptoRandom),
      items: createDeploymentItems(documents, tableName),
      settings: createSettingsStore(documents, tableName),
      credentials: createCredentialStore(documents, tableName),
      issuers: createTokenIssuerStore(documents, tableName),
      signersOf,
      queue: {
        async send(message, { delaySeconds = 0 } = {}) {
          const push = async () => void queue.push({ message, delaySeconds });
          await (mortal === undefined ? push() : mortal.pass(push));
        },
      } satisfies OperationPorts['queue'],
      log: quietLog,
    });
  };
  const ports = buildPorts();

  const rig: OperationsRig = {
    core,
    ports,
    starts: { operations: ports.operations, queue: ports.queue, newOperationId, clock, log: quietLog },
    queue,
    told,
    deaf: false,
    meanwhile: undefined,
    async connected(username, clientId, expiry = 0, signedBy) {
      const attempt = await core.join(username, clientId, expiry, signedBy);
      core.broker.set(clientId, { kind: 'connected', expirySeconds: seconds(expiry) });
      return attempt;
    },
    async retained(username, clientId, signedBy) {
      const attempt = await rig.connected(username, clientId, 3_600, signedBy);
      await core.report('door.disconnected', username, clientId, attempt, 3_600);
      core.broker.set(clientId, { kind: 'retained' });
    },
    async deliver(message, { mortal, mustStop = () => false } = {}) {
      const body = JSON.stringify(message);
      const record = { messageId: 'm', body, attributes: {} } as Parameters<
        typeof applyOperations
      >[1]['Records'][number];
      const work = applyOperations(mortal === undefined ? ports : buildPorts(mortal), { Records: [record] }, mustStop);
      return mortal === undefined ? work : Promise.race([mortal.died, work]);
    },
    async drain(options) {
      let messages = 0;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        messages += 1;
        if (messages > 2_000) throw new Error('messages without end');
        core.advance(next.delaySeconds);
        await rig.deliver(next.message, options);
      }
      return messages;
    },
    async wakeOverdue() {
      for (let waited = 0; waited < 20; waited += 1) {
        core.advance(10);
        const woken = await wakeOverdue(rig.starts);
        if (woken > 0) return woken;
      }
      return 0;
    },
    operation: async (operationId) => (await ports.operations.readOperation({ tenantId, operationId }))?.value,
    async itemsOf(deploymentId) {
      const keys = (await allItems(table)).map((item) => `${item.pk} ${item.sk}`);
      return keys.filter((key) => !key.startsWith('J|') && key.split(/[| ]/).includes(deploymentId)).sort();
    },
  };
  return rig;
}
