// A deployment with a past: what the deployed functions find in the table when they are called. Written by the product's
// own use cases with a clock of their own, past the recorder.

import { type DocumentClient, PutCommand } from '../../../shared/adapters/dynamodb/common/commands.ts';
import { machineKey } from '../../../shared/adapters/dynamodb/common/keys.ts';
import { createCredentialStore } from '../../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../../shared/adapters/dynamodb/settings/settings-store.ts';
import { cryptoRandom } from '../../../shared/adapters/node/random.ts';
import { applyDoorReport } from '../../../shared/app/presence/report.ts';
import { createCoreConnect } from '../../../shared/core/connect.ts';
import { createCore } from '../../../shared/core/core.ts';
import type { AttemptId, DeploymentId, TenantId, Username } from '../../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings, limitSettings } from '../../../shared/domain/settings.ts';
import { ms, seconds } from '../../../shared/domain/time.ts';
import type { DoorReport } from '../../../shared/ports/presence/presence.ts';
import { createTestTable, startTestEngine } from '../../support/engine.ts';
import { hashOf, testKeys } from '../../support/passwords.ts';
import { quietLog } from '../../support/quiet-log.ts';

export const machineClientId = '1example23456789';
export const tenant = 'acme';

export interface World {
  readonly engine: string;
  readonly tableName: string;
  readonly client: DocumentClient;
  /** Admits a client so long ago, as the front door (with an expiry) or the authorizer (without) would. */
  admitAgo(
    secondsAgo: number,
    who: {
      readonly deployment: string;
      readonly username: string;
      readonly clientId: string;
      readonly expirySeconds?: number;
    },
    then?: 'connected' | 'retained',
  ): Promise<AttemptId>;
  stop(): Promise<void>;
}

export const passwordOf = (username: string): string => `${username}-secret-that-was-chosen`;

/** Deployments `demo` (limit 2, a whitelist) and `open` (no limit, takeovers allowed), and their MQTT users. */
export async function createWorld(): Promise<World> {
  const engine = await startTestEngine();
  const { client, tableName } = await createTestTable(engine.endpoint);
  let secondsAgo = 0;
  const clock = { now: () => ms(Date.now() - secondsAgo * 1_000) };
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);

  for (const deploymentId of ['demo', 'open']) {
    await settings.createDeployment({
      deploymentId: deploymentId as DeploymentId,
      tenantId: tenant as TenantId,
      name: deploymentId,
      mqttHost: `${deploymentId}.mqtt.example.com`,
      status: 'active',
      ...defaultsOf(deploymentSettings),
      clientIdTakeover: deploymentId === 'open' ? 'allow' : 'deny',
      onStoreFailure: deploymentId === 'open' ? 'admit' : 'reject',
      createdAt: clock.now(),
    });
    for (const username of ['alice', 'bob', 'carol', 'dora', 'eve', 'frank', 'gina', 'hank', 'ivan']) {
      const hash = await hashOf(passwordOf(username));
      const credential = { username: username as Username, hash, createdAt: clock.now() };
      await credentials.putCredential(deploymentId as DeploymentId, credential);
    }
  }
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 2, whitelist: ['somebody' as Username] };
  const change = { actor: 'test', at: clock.now() };
  await settings.putSessionLimit('demo' as DeploymentId, limit, change);
  await settings.putOverride('demo' as DeploymentId, 'somebody' as Username, { kind: 'unlimited' }, change);
  await client.send(
    new PutCommand({ TableName: tableName, Item: { ...machineKey(machineClientId), tenantId: tenant } }),
  );

  const broker = {
    getConnection: async () => ({ kind: 'unknown' as const }),
    deleteConnection: async () => 'gone' as const,
  };
  const core = createCore({ client, tableName, clock, random: cryptoRandom, broker });
  const decide = createCoreConnect({
    ...core,
    keys: testKeys,
    queue: { put: async () => undefined },
    log: quietLog,
    budgetMs: 20_000,
  });
  return {
    engine: engine.endpoint,
    tableName,
    client,
    async admitAgo(ago, { deployment, username, clientId, expirySeconds }, then) {
      secondsAgo = ago;
      const hints = { protocolVersion: 5 as const, cleanStart: true };
      const decision = await decide({
        deploymentId: deployment,
        username,
        password: Buffer.from(passwordOf(username)),
        clientId,
        ...(expirySeconds === undefined ? {} : { hints: { ...hints, expirySeconds: seconds(expirySeconds) } }),
      });
      if (decision.kind === 'rejected') throw new Error(decision.detail);
      const told = then === undefined ? [] : ['door.connected', ...(then === 'retained' ? ['door.disconnected'] : [])];
      for (const type of told) {
        const { deploymentId, attempt } = decision;
        const report = { type, deploymentId, username, clientId, attempt, at: clock.now(), expirySeconds };
        await applyDoorReport(core, report as DoorReport);
      }
      secondsAgo = 0;
      return decision.attempt;
    },
    async stop() {
      client.destroy();
      await engine.stop();
    },
  };
}
