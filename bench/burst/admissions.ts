// The admission itself under a burst, on the real engine and without MQTT: 500 of one username decided at once, by the
// code that the authorizer and the front door run. What is counted afterwards is read from the table.

import { createTable } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { cryptoRandom as random } from '../../shared/adapters/node/random.ts';
import { admit } from '../../shared/app/admission/admit.ts';
import type { AdmitDecision } from '../../shared/app/admission/run.ts';
import { createCore } from '../../shared/core/core.ts';
import type { ClientId, DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings, limitSettings } from '../../shared/domain/settings.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { ConnectSettings } from '../../shared/ports/settings/settings.ts';

const tableName = 'headcount';
const deploymentId = 'bench' as DeploymentId;
/**
 * Not the product's 3 s: on a slow machine those are over before everybody has had a turn, and who is told "unavailable"
 * proves nothing about the count.
 */
const patienceMs = 120_000;

export interface AdmissionRound {
  readonly admitted: number;
  readonly refusedForQuota: number;
  /** What the table counts for the username afterwards. */
  readonly used: number;
  readonly tookMs: readonly number[];
}

export interface AdmissionBench {
  /** `arrivals` new clients of a username that nobody has used yet, all decided at the same moment. */
  burst(username: string, limit: number, arrivals: number): Promise<AdmissionRound>;
  stop(): Promise<void>;
}

function settingsOf(maxSessionsPerUsername: number): ConnectSettings {
  return {
    deployment: {
      deploymentId,
      tenantId: 'bench' as TenantId,
      name: 'Bench',
      mqttHost: 'bench.mqtt.localhost',
      status: 'active',
      ...defaultsOf(deploymentSettings),
      createdAt: ms(0),
    },
    limit: {
      ...defaultsOf(limitSettings),
      maxSessionsPerUsername,
      whitelistId: undefined,
      generation: 1,
      mayHaveOverrides: false,
    },
  };
}

export async function startAdmissionBench(): Promise<AdmissionBench> {
  const engine = await startEngine({ dataDir: ':memory:' });
  const client = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: patienceMs, maxSockets: 256 });
  await createTable(client, tableName).catch(async (error: unknown) => {
    await engine.stop();
    throw error;
  });
  const ports = createCore({
    client,
    tableName,
    clock,
    random,
    broker: { deleteConnection: async () => 'gone' as const },
    budgetMs: patienceMs,
  });

  async function decide(
    username: Username,
    place: number,
    settings: ConnectSettings,
  ): Promise<[AdmitDecision, number]> {
    const beganAt = performance.now();
    const decision = await admit({ ...ports, settings: { getNewer: async () => settings } }, settings, {
      deploymentId,
      username,
      clientId: `client-${username}-${place}` as ClientId,
      expirySeconds: seconds(0),
      receivedAt: clock.now(),
      witness: 'door',
    });
    return [decision, performance.now() - beganAt];
  }

  return {
    async burst(name, limit, arrivals) {
      const username = name as Username;
      const settings = settingsOf(limit);
      const decided = await Promise.all(
        Array.from({ length: arrivals }, (_, place) => decide(username, place, settings)),
      );
      const { used } = await ports.store.readRoster(deploymentId, username);
      const admitted = decided.filter(([decision]) => decision.kind === 'admitted').length;
      const refusedForQuota = decided.filter(
        ([decision]) => decision.kind === 'rejected' && decision.reason === 'quota_exceeded',
      ).length;
      return { admitted, refusedForQuota, used, tookMs: decided.map(([, took]) => took) };
    },
    async stop() {
      client.destroy();
      await engine.stop();
    },
  };
}
