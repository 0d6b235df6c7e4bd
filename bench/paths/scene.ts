// Where a path is metered: a table, a deployment in it, a username with sessions of its own. Two processes work on the
// table: what a path is about goes through the metered one, everything that leads up to it through the other.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import { newDeployment } from '../../shared/app/tenancy/deployments.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import {
  type ClientId,
  type DeploymentId,
  type TenantId,
  toBrokerClientId,
  type Username,
} from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { Credential } from '../../shared/ports/credentials/credentials.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import type { Meter, Spent } from '../meter/meter.ts';
import { benchHash, benchPassword } from '../passwords.ts';
import { type Core, startProcess } from './core.ts';

export type Admitted = Extract<ConnectDecision, { kind: 'admitted' }>;
/** Through the front door, which knows attempts and expiries, or as a device that goes straight to the broker. */
export type Way = 'door' | 'broker';

/** The table of a scene, as each of its two processes reaches it. */
export interface Ground {
  readonly tableName: string;
  readonly client: DocumentClient;
  readonly otherClient: DocumentClient;
  /** Of `client`. Absent on an engine that takes time: a scene there leads up to what somebody else measures. */
  readonly meter?: Meter;
}

export interface SceneOptions {
  readonly ground: Ground;
  readonly deploymentId: DeploymentId;
  /** Whose sessions are there already. */
  readonly username: Username;
  readonly startAt: Ms;
  readonly filled: Filled;
  /** Usernames of the deployment have limits of their own. */
  readonly overrides: boolean;
}

/** The usernames of the deployment: a prefix that at least fifty of them begin with, and one that fifty follow. */
export interface Filled {
  readonly prefix: string;
  readonly middle: Username;
}

/** Sizes do not hang on the time, so the figures are the same whenever they are made. */
export const sceneStartsAt: Ms = ms(1_790_000_000_000);

/** So high that nobody meets it. */
const unlimited = 1_000_000;

export class Scene {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly filled: Filled;
  readonly metered: Core;
  readonly other: Core;
  private readonly options: SceneOptions;
  private readonly broker = new Map<string, BrokerSays>();
  /** Of every username here. */
  readonly password = benchPassword;
  private now: Ms;
  private numbered = 0;
  private spentLast: Spent | undefined;

  constructor(options: SceneOptions) {
    const { ground, deploymentId, username, startAt } = options;
    this.options = options;
    this.deploymentId = deploymentId;
    this.username = username;
    this.filled = options.filled;
    this.now = startAt;
    this.metered = this.process(ground.client);
    this.other = this.process(ground.otherClient);
  }

  /** The scene's own deployment and username. */
  prepare(): Promise<void> {
    return this.addDeployment(this.deploymentId, this.username, unlimited);
  }

  /** A deployment with a limit that is enabled, and `clientIdTakeover: allow`; and the username's password. */
  async addDeployment(deploymentId: DeploymentId, username: Username, max: number): Promise<void> {
    const { settings, credentials } = this.other;
    const names = { deploymentId, tenantId: 'local' as TenantId, name: deploymentId, createdAt: this.now };
    await settings.createDeployment({ ...newDeployment(names, 'mqtt.localhost'), clientIdTakeover: 'allow' });
    await this.putLimit(max, [], deploymentId);
    await credentials.putCredential(deploymentId, this.credentialOf(username));
  }

  /** The limit of a deployment, of which processes learn seconds later. */
  async putLimit(
    max = unlimited,
    whitelist: readonly Username[] = [],
    deploymentId = this.deploymentId,
  ): Promise<void> {
    const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: max, whitelist };
    await this.other.settings.putSessionLimit(deploymentId, limit, { actor: 'bench', at: this.now });
  }

  /** Runs `work`, and meters what the metered process sends meanwhile. Milliseconds pass before it, as between any two things. */
  async spend<T>(work: () => Promise<T>): Promise<T> {
    this.pass(0.005);
    const [answer, spent] = await this.meter().spend(work);
    this.spentLast = spent;
    return answer;
  }

  /** What the last `spend` came to. */
  spent(): Spent {
    if (this.spentLast === undefined) throw new Error('nothing was metered');
    return this.spentLast;
  }

  pass(secondsLong: number): void {
    this.now = ms(this.now + secondsLong * 1_000);
  }

  readonly at = (): Ms => this.now;

  /** Another process whose requests are metered: it has nothing in its memory. */
  newProcess(): Core {
    return this.process(this.options.ground.client);
  }

  /** A client id of everyday length that nobody has had. */
  newClientId(): string {
    this.numbered += 1;
    return `device-${String(this.numbered).padStart(8, '0')}`;
  }

  /** A username with a password and no session. */
  async newUsername(): Promise<Username> {
    this.numbered += 1;
    const username = `newcomer-${String(this.numbered).padStart(6, '0')}` as Username;
    await this.addUser(username);
    return username;
  }

  async addUser(username: Username): Promise<void> {
    await this.other.credentials.putCredential(this.deploymentId, this.credentialOf(username));
  }

  credentialOf(username: Username): Credential {
    return { username, hash: benchHash, createdAt: this.now };
  }

  /** Settings and credentials in the metered process's memory, as in any process but a new one. */
  async warm(username: Username, core = this.metered): Promise<void> {
    const answer = await this.ask(core, username, undefined, 'door');
    if (answer.kind !== 'rejected' || answer.reason !== 'client_id') throw new Error('nobody got that far');
  }

  /** One CONNECT, whatever the answer. */
  ask(
    core: Core,
    username: Username,
    clientId: string | undefined,
    way: Way = 'door',
    deploymentId = this.deploymentId,
  ): Promise<ConnectDecision> {
    this.pass(0.005);
    const hints = { protocolVersion: 5, cleanStart: true, ipAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348' } as const;
    return core.connect({
      deploymentId,
      username,
      password: Buffer.from(this.password),
      clientId,
      ...(way === 'door' ? { hints } : {}),
    });
  }

  async admit(core: Core, username: Username, clientId: string, way: Way = 'door'): Promise<Admitted> {
    const answer = await this.ask(core, username, clientId, way);
    if (answer.kind === 'rejected') throw new Error(`${username} ${clientId}: ${answer.detail}`);
    return answer;
  }

  /** What the front door tells of an admission. */
  async tell(core: Core, type: DoorReport['type'], of: Admitted, expirySeconds = 0): Promise<void> {
    this.pass(0.005);
    const { deploymentId, username, clientId, attempt } = of;
    const common = { deploymentId, username, clientId, attempt, at: this.now };
    const expiry = { expirySeconds: seconds(expirySeconds) };
    const applied = await applyDoorReport(
      core.lifeCycle,
      type === 'door.failed' ? { ...common, type } : { ...common, type, ...expiry },
    );
    if (applied !== 'done') throw new Error(`${type} of ${clientId} was put off`);
    this.say(clientId, type === 'door.connected' ? { kind: 'connected' } : undefined);
  }

  /** What IoT Core tells of a connection, and what it says when it is asked. */
  async event(core: Core, type: 'connected' | 'disconnected', of: Admitted): Promise<void> {
    this.pass(0.005);
    const says = { kind: 'connected', since: this.now, expirySeconds: seconds(0) } as const;
    this.say(of.clientId, type === 'connected' ? says : undefined);
    const event = parseBrokerEvent(
      {
        clientId: toBrokerClientId(of.deploymentId, of.clientId),
        timestamp: this.now,
        eventType: type,
        sessionIdentifier: '00000000-0000-4000-8000-000000000000',
        versionNumber: 0,
        ...(type === 'connected' ? { ipAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348' } : {}),
      },
      this.now,
    );
    if (!event.ok) throw new Error(event.problem);
    const applied = await applyBrokerEvent(core.lifeCycle, event.value);
    if (applied !== 'done') throw new Error(`${type} of ${of.clientId} was put off`);
  }

  /** A connected session, not metered. */
  async join(username: Username, expirySeconds = 0, clientId = this.newClientId()): Promise<Admitted> {
    const admitted = await this.admit(this.other, username, clientId);
    await this.tell(this.other, 'door.connected', admitted, expirySeconds);
    return admitted;
  }

  /** The same of another deployment. */
  async joinElsewhere(deploymentId: DeploymentId, username: Username): Promise<void> {
    const answer = await this.ask(this.other, username, this.newClientId(), 'door', deploymentId);
    if (answer.kind === 'rejected') throw new Error(answer.detail);
    await this.tell(this.other, 'door.connected', answer);
  }

  /** Its end, not metered. With an expiry it is retained. */
  leave(admitted: Admitted, expirySeconds = 0): Promise<void> {
    return this.tell(this.other, 'door.disconnected', admitted, expirySeconds);
  }

  /** Live sessions of a username now. */
  async used(username: Username): Promise<number> {
    const usage = await this.other.usage.listUsernames(this.deploymentId, { limit: 1, order: 'asc', prefix: username });
    const [first] = usage.items;
    return first?.username === username ? first.used : 0;
  }

  /**
   * A limit of the username's own; undefined takes it away. Holds at once: it is read with every CONNECT. Where no username
   * has one, the deployment's limit, of which processes learn seconds later.
   */
  async limit(username: Username, max: number | undefined): Promise<void> {
    const by = { actor: 'bench', at: this.now };
    if (!this.options.overrides) {
      const held = await this.other.settings.getSessionLimit(this.deploymentId);
      await this.putLimit(max, held?.whitelist);
      this.pass(5);
    } else if (max === undefined) await this.other.settings.deleteOverride(this.deploymentId, username, by);
    else await this.other.settings.putOverride(this.deploymentId, username, { kind: 'number', max }, by);
  }

  /** Between the first write of the metered process and what it does next, somebody else comes first. */
  async interrupt<T>(work: () => Promise<T>, other: () => Promise<unknown>): Promise<T> {
    const meter = this.meter();
    let due = true;
    meter.beforeAnswer = async (command) => {
      if (!due || !command.startsWith('Put')) return;
      due = false;
      await other();
    };
    const answer = await work();
    if (due) throw new Error('nobody was interrupted');
    return answer;
  }

  private meter(): Meter {
    const { meter } = this.options.ground;
    if (meter === undefined) throw new Error('nobody meters here');
    return meter;
  }

  private process(client: DocumentClient): Core {
    const { tableName } = this.options.ground;
    return startProcess({ client, tableName, clock: { now: () => this.now }, broker: this.broker });
  }

  private say(clientId: ClientId, says: BrokerSays | undefined): void {
    const id = toBrokerClientId(this.deploymentId, clientId);
    if (says === undefined) this.broker.delete(id);
    else this.broker.set(id, says);
  }
}
