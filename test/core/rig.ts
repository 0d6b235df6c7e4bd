// The core on the real engine: use cases, store, a clock that only tests move, and a broker that says what it is told.

import { demoDeployment } from '../../local/seed.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { StoreOptions } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { admit } from '../../shared/app/admission/admit.ts';
import type { AdmitDecision } from '../../shared/app/admission/run.ts';
import { parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import { createCore as createProductCore } from '../../shared/core/core.ts';
import type { AttemptId, ClientId, DeploymentId, SignerId, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { Broker, BrokerSays } from '../../shared/ports/presence/broker.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import type { ConnectSettings } from '../../shared/ports/settings/settings.ts';

const deploymentId = 'demo' as DeploymentId;

export interface Core {
  readonly store: SessionStore;
  readonly ports: LifeCyclePorts;
  max: number | undefined;
  takeover: 'deny' | 'allow';
  /** What the broker says, by client id; `absent` unless told. */
  readonly broker: Map<string, BrokerSays>;
  /** What DeleteConnection does; `gone` unless told. */
  onDelete: Broker['deleteConnection'];
  advance(by: number): void;
  now(): Ms;
  connect(
    username: string,
    clientId: string,
    /** `heldMax`: the limit as this process read it some seconds ago, if it is another one by now. */
    options?: { expiry?: number; witness?: 'door' | 'broker'; heldMax?: number; signedBy?: SignerId | undefined },
  ): Promise<AdmitDecision>;
  /** An admission that is confirmed by the front door. */
  join(username: string, clientId: string, expiry?: number, signedBy?: SignerId): Promise<AttemptId>;
  report(
    type: DoorReport['type'],
    username: string,
    clientId: string,
    attempt: AttemptId,
    expiry?: number,
  ): Promise<unknown>;
  /** The front door never sent it. */
  reportUnsent(username: string, clientId: string, attempt: AttemptId): Promise<unknown>;
  event(
    type: 'connected' | 'disconnected' | 'connect_failed',
    clientId: string,
    version: number,
    reason?: string,
  ): Promise<unknown>;
  sweep(): ReturnType<typeof sweep>;
  used(username: string): Promise<number>;
  session(username: string, clientId: string): Promise<Session | undefined>;
}

/** The core of the product, with a clock that moves when it is told to. `around`: puts something between the use cases and the store. */
export function createCore(
  client: DocumentClient,
  tableName: string,
  around: (store: SessionStore) => SessionStore = (store) => store,
  options: StoreOptions = {},
): Core {
  let now = 1_790_000_000_000;
  const said = new Map<string, BrokerSays>();
  const clock = { now: () => ms(now) };
  const settingsOf = (max: number | undefined): ConnectSettings => ({
    deployment: { ...demoDeployment(ms(0)), clientIdTakeover: core.takeover },
    limit:
      max === undefined
        ? undefined
        : {
            ...defaultsOf(limitSettings),
            maxSessionsPerUsername: max,
            whitelistId: undefined,
            generation: 1,
            mayHaveOverrides: false,
          },
  });
  const ports = createProductCore({
    client,
    tableName,
    clock,
    random: cryptoRandom,
    storeOptions: options,
    aroundStore: around,
    settings: { getNewer: async () => settingsOf(core.max) },
    budgetMs: 3_000,
    broker: {
      getConnection: async (id: string) => said.get(id.slice('demo:'.length)) ?? ({ kind: 'absent' } as const),
      deleteConnection: (...asked: Parameters<Broker['deleteConnection']>) => core.onDelete(...asked),
    },
  });
  const names = (username: string, clientId: string) => ({
    deploymentId,
    username: username as Username,
    clientId: clientId as ClientId,
  });
  const { store } = ports;
  const core: Core = {
    store,
    ports,
    max: 2,
    takeover: 'deny',
    broker: said,
    onDelete: async () => 'gone',
    advance: (by) => {
      now += by * 1000;
    },
    now: clock.now,
    connect(username, clientId, { expiry = 0, witness = 'door', heldMax = core.max, signedBy } = {}) {
      return admit(ports, settingsOf(heldMax), {
        receivedAt: clock.now(),
        ...names(username, clientId),
        witness,
        expirySeconds: seconds(expiry),
        ...(signedBy === undefined ? {} : { signedBy }),
      });
    },
    async join(username, clientId, expiry = 0, signedBy) {
      const decision = await core.connect(username, clientId, { expiry, signedBy });
      if (decision.kind === 'rejected') throw new Error(`${username} ${clientId}: ${decision.reason}`);
      await core.report('door.connected', username, clientId, decision.attempt, expiry);
      return decision.attempt;
    },
    report(type, username, clientId, attempt, expiry = 0) {
      const common = { ...names(username, clientId), attempt, at: clock.now() };
      const report: DoorReport =
        type === 'door.failed' ? { ...common, type } : { ...common, type, expirySeconds: seconds(expiry) };
      return applyDoorReport(ports, report);
    },
    reportUnsent(username, clientId, attempt) {
      const failed = { ...names(username, clientId), attempt, at: clock.now() };
      return applyDoorReport(ports, { ...failed, type: 'door.failed', unsent: true });
    },
    event(type, clientId, version, reason) {
      const event = parseBrokerEvent(
        {
          clientId: `demo:${clientId}`,
          timestamp: now,
          eventType: type,
          sessionIdentifier: 'one-session',
          versionNumber: version,
          ...(reason === undefined ? {} : { disconnectReason: reason }),
        },
        clock.now(),
      );
      if (!event.ok) throw new Error(event.problem);
      return applyBrokerEvent(ports, event.value);
    },
    sweep: () => sweep(ports),
    used: async (username) => (await store.readRoster(deploymentId, username as Username)).used,
    session: async (username, clientId) => (await store.readSession(names(username, clientId)))?.value,
  };
  return core;
}
