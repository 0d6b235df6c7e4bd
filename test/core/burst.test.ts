// Exact under a burst (S4, I1), on the real engine and without MQTT: admissions of one username that are decided at once, by
// the code that the authorizer and the front door run. What is counted afterwards is read from the table.

import { expect, test } from 'vitest';
import { demoDeployment } from '../../local/seed.ts';
import { systemClock as clock } from '../../shared/adapters/node/clock.ts';
import { cryptoRandom as random } from '../../shared/adapters/node/random.ts';
import { admit } from '../../shared/app/admission/admit.ts';
import type { AdmitDecision } from '../../shared/app/admission/run.ts';
import { createCore } from '../../shared/core/core.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForAllTests } from '../support/tables.ts';

/**
 * Not the product's 3 s: on a slow machine those are over before everybody has had a turn, and who is told "unavailable"
 * proves nothing about the count.
 */
const budgetMs = 120_000;
const deployment = demoDeployment(ms(0));
const { deploymentId } = deployment;

const broker = { deleteConnection: async () => 'gone' as const };
const coreOn = ({ client, tableName }: TestTable) => createCore({ client, tableName, clock, random, broker, budgetMs });
let ports: ReturnType<typeof coreOn>;
tableForAllTests((table) => {
  ports = coreOn(table);
});

async function decide(username: Username, n: number, maxSessionsPerUsername: number): Promise<AdmitDecision> {
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername, whitelistId: undefined, generation: 1 };
  const settings = { deployment, limit: { ...limit, mayHaveOverrides: false } };
  return admit({ ...ports, settings: { getNewer: async () => settings } }, settings, {
    deploymentId,
    username,
    clientId: `client-${username}-${n}` as ClientId,
    expirySeconds: seconds(0),
    receivedAt: clock.now(),
    witness: 'door',
  });
}

// The last one is past where a roster becomes wide, in the middle of its burst.
test.each([
  [60, 1],
  [60, 7],
  [60, 100],
  [220, 170],
])(
  'of %i admissions at once at limit %i as many are admitted and counted as there is room for',
  async (arrivals, limit) => {
    const username = `alice-${limit}` as Username;
    const decided = await Promise.all(Array.from({ length: arrivals }, (_, n) => decide(username, n, limit)));
    const told = decided.map((decision) => (decision.kind === 'admitted' ? 'admitted' : decision.reason));
    const expected = Math.min(arrivals, limit);
    expect(told.filter((one) => one === 'admitted')).toHaveLength(expected);
    expect(told.filter((one) => one === 'quota_exceeded')).toHaveLength(arrivals - expected);
    expect((await ports.store.readRoster(deploymentId, username)).used).toBe(expected);
  },
  240_000,
);
