// One installation under load: the simulated database, broker and queue, the processes of the product around them, and
// what stands in the table before the load begins. That is written by the product's own code too, in no time.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { decodeSession } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import type { Swept } from '../../shared/app/repair/sweep.ts';
import { newDeployment } from '../../shared/app/tenancy/deployments.ts';
import { presenceProcessesMax } from '../../shared/config/constants.ts';
import { type CoreAdapters, type CorePorts, createCore } from '../../shared/core/core.ts';
import type { ConnectHints, ConnectRequest } from '../../shared/domain/connect.ts';
import type { DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { isLive } from '../../shared/domain/session/record.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { ConnectSettings } from '../../shared/ports/settings/settings.ts';
import { benchKeys, benchPassword } from '../passwords.ts';
import { SimulatedBroker } from './broker.ts';
import { Chance } from './chance.ts';
import { type Asked, type Connector, createAuthorizer, createDoor, createTimedCrypto } from './connectors.ts';
import { SimulatedDynamo } from './dynamo.ts';
import { SimulatedQueue } from './message-queue.ts';
import { defaults, type Parameters } from './parameters.ts';
import { createPresence, createSweeper, type Surroundings } from './processes.ts';
import { createSeededRandom } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

export interface InstallationOptions {
  readonly seed: number;
  readonly parameters?: Partial<Parameters>;
  /** What a session keeps after its end: the deployment's setting. */
  readonly sessionExpirySeconds: number;
  readonly retries?: Partial<Surroundings['retries']>;
  readonly misread?: Surroundings['misread'];
  /** Processes of the front door; without, clients go straight to the broker. */
  readonly doors?: number;
}

export interface LimitSetting {
  readonly maxSessionsPerUsername: number;
  readonly whitelist?: readonly Username[];
}

export const deploymentId = 'demo' as DeploymentId;
const tenantId = 'tenant' as TenantId;

/** createDocumentClient tries twice; the rest is the SDK's own. */
export const asBuilt: Surroundings['retries'] = { maxAttempts: 2, throttledBaseMs: 1_000, failedBaseMs: 25 };

export class Installation {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly parameters: Parameters;
  readonly dynamo: SimulatedDynamo;
  readonly broker: SimulatedBroker;
  readonly queue: SimulatedQueue;
  readonly password: Uint8Array;
  /** Without the way there and back, and without contention: for what is set up, and for looking. */
  readonly instant: CoreAdapters & CorePorts;
  readonly around: Surroundings;
  readonly swept: Swept[] = [];
  /** CONNECTs being decided, each in a process of its own: now, and at most. */
  readonly atWork = { now: 0, peak: 0 };
  readonly sessionExpirySeconds: number;
  /** Usernames that no limit holds for. */
  readonly whitelist = new Set<Username>();
  /** Front doors that the clients come through; 0: they go straight to the broker. */
  readonly doors: number;
  private readonly hints: ConnectHints;
  /** The front doors, or the processes of the authorizer that are idle. */
  private readonly connectors: Connector[];
  private turn = 0;

  constructor(options: InstallationOptions) {
    this.sessionExpirySeconds = options.sessionExpirySeconds;
    this.parameters = { ...defaults, ...options.parameters };
    this.time = new VirtualTime(options.seed ^ 0xca11);
    this.chance = new Chance(options.seed);
    const random = createSeededRandom(new Chance(options.seed ^ 0x5eed));
    const { time } = this;
    this.dynamo = new SimulatedDynamo(time, new Chance(options.seed ^ 0xdb), this.parameters);
    this.broker = new SimulatedBroker(time);
    this.queue = new SimulatedQueue(time, {
      batchSize: 10,
      visibilityMs: 180_000,
      maxReceives: 5,
    });
    const retries = { ...asBuilt, ...options.retries };
    const { dynamo, broker, queue } = this;
    const chance = new Chance(options.seed ^ 0xc11e);
    this.around = { time, chance, dynamo, random, broker, queue, retries, misread: options.misread };
    queue.serve(Array.from({ length: presenceProcessesMax }, () => createPresence(this.around)));
    const client = dynamo.engine as unknown as DocumentClient;
    this.instant = createCore({ client, tableName: 'fleet', clock: time.clock, random });
    this.password = Buffer.from(benchPassword);
    this.doors = options.doors ?? 0;
    this.connectors = Array.from({ length: this.doors }, () => createDoor(this.around));
    const expirySeconds = seconds(options.sessionExpirySeconds);
    this.hints = { protocolVersion: 5, cleanStart: false, expirySeconds };
    void this.sweepEachMinute();
  }

  async setUp(usernames: Iterable<Username>, limit: LimitSetting | undefined): Promise<void> {
    const { clock } = this.time;
    const deployment = newDeployment({ deploymentId, tenantId, name: 'Demo', createdAt: clock.now() }, undefined);
    const sessionExpirySeconds = seconds(this.sessionExpirySeconds);
    await this.settings().createDeployment({ ...deployment, sessionExpirySeconds });
    const credentials = createCredentialStore(this.instant.client, 'fleet');
    const crypto = createTimedCrypto(async () => undefined);
    const hash = await createPasswords({ crypto, keys: benchKeys, clock }).hash(benchPassword);
    if (hash === 'overloaded') throw new Error('nothing else is hashed here');
    for (const username of usernames)
      await credentials.putCredential(deploymentId, { username, hash, createdAt: clock.now() });
    if (limit !== undefined) await this.setLimit(limit);
  }

  /** As the API sets it. */
  async setLimit({ maxSessionsPerUsername, whitelist = [] }: LimitSetting): Promise<void> {
    const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername, whitelist };
    const done = await this.settings().putSessionLimit(deploymentId, limit, {
      actor: 'bench',
      at: this.time.clock.now(),
    });
    if (done.kind !== 'done') throw new Error(`the limit was not set: ${done.kind}`);
    this.whitelist.clear();
    for (const username of whitelist) this.whitelist.add(username);
  }

  async connectSettings(): Promise<ConnectSettings> {
    const found = await this.settings().getConnectSettings(deploymentId);
    if (found === undefined) throw new Error('the deployment is not set up');
    return found;
  }

  /** One CONNECT: of a front door, in turn; or of the process that Lambda gives it, one that is idle or a new one. */
  async ask(request: ConnectRequest): Promise<Asked> {
    const door = this.connectors[this.turn++ % Math.max(1, this.doors)];
    const connector =
      this.doors > 0 && door !== undefined ? door : (this.connectors.pop() ?? createAuthorizer(this.around));
    this.atWork.now++;
    this.atWork.peak = Math.max(this.atWork.peak, this.atWork.now);
    try {
      return await connector(this.doors > 0 ? { ...request, hints: this.hints } : request);
    } finally {
      this.atWork.now--;
      if (this.doors === 0) this.connectors.push(connector);
    }
  }

  private async sweepEachMinute(): Promise<void> {
    const run = createSweeper(this.around);
    for (;;) {
      await this.time.pause(60_000);
      this.swept.push(await run());
    }
  }

  /** What is told of sessions has been applied, or `maxMs` have passed. */
  async quiet(maxMs: number): Promise<void> {
    for (const until = this.time.now + maxMs; this.queue.size > 0 && this.time.now < until; ) await this.time.pause(50);
  }

  /** No attempt waits for its lease any more, or `maxMs` have passed. */
  async settled(maxMs: number): Promise<void> {
    for (const until = this.time.now + maxMs; this.countLeases() > 0 && this.time.now < until; )
      await this.time.pause(5_000);
  }

  countLeases(): number {
    let leases = 0;
    for (const item of this.dynamo.engine.table.items())
      if (item.wakePk !== undefined && String(item.pk).startsWith('S|')) leases++;
    return leases;
  }

  async usedBy(username: Username): Promise<number> {
    return (await this.instant.store.readRoster(deploymentId, username)).used;
  }

  /** What is counted should be these: sessions that are more than an attempt, and live. */
  liveSessions(): ReadonlyMap<Username, number> {
    const now = this.time.clock.now();
    const live = new Map<Username, number>();
    for (const item of this.dynamo.engine.table.items()) {
      if (!String(item.pk).startsWith('S|')) continue;
      const { value } = decodeSession(item);
      if (value.phase.kind !== 'new' && isLive(value, now))
        live.set(value.username, (live.get(value.username) ?? 0) + 1);
    }
    return live;
  }

  private settings() {
    return createSettingsStore(this.instant.client, 'fleet');
  }
}
