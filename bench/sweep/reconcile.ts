// A whole pass of the reconciler over sessions that are all in order.

import { createTableAt } from '../../local/create-table.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { createTableWalk } from '../../shared/adapters/dynamodb/repair/table-walk.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { reconcile } from '../../shared/app/repair/reconcile.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { addSeconds, ms, seconds } from '../../shared/domain/time.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import { seedRetained } from '../fill/retained.ts';

const now = ms(1_790_000_000_000);
const sessionsEach = 10;
/** Retained for an hour, most of it over, so that each of them is worth a question; the broker says the same. */
const expirySeconds = seconds(3_600);
const expiresAt = addSeconds(now, seconds(300));

export interface Walked {
  readonly sessions: number;
  readonly sessionsPerSecond: number;
  readonly questions: number;
  readonly repaired: number;
}

export async function reconcileAll(endpoint: string, sessions: number): Promise<Walked> {
  const tableName = 'reconcile';
  const client = createSdkClient({ endpoint, requestTimeoutMs: 60_000, maxSockets: 64 });
  await createTableAt(endpoint, tableName);
  const usernames = Array.from({ length: sessions / sessionsEach }, (_, n) => `user-${n}`);
  await sideBySide(usernames, 8, async (username) => {
    const deploymentId = 'demo' as DeploymentId;
    await seedRetained(client, tableName, { deploymentId, username, count: sessionsEach, expiresAt, expirySeconds });
  });
  const disconnectedAt = addSeconds(expiresAt, seconds(-expirySeconds));
  const says: BrokerSays = { kind: 'retained', disconnectedAt, expirySeconds };
  const ports = createCore({
    client,
    tableName,
    clock: { now: () => now },
    random: cryptoRandom,
    broker: { getConnection: async () => says, deleteConnection: async () => 'gone' as const },
    walk: createTableWalk(client, tableName, cryptoRandom),
  });
  const bounds = { pages: 100_000, pageItems: 500, questions: 480, passSeconds: 0 };
  const begun = performance.now();
  const found = await reconcile(ports, undefined, bounds);
  const spentMs = performance.now() - begun;
  client.destroy();
  if (found.passEndedAt === undefined || found.sessions !== sessions || found.failed > 0)
    throw new Error(`the pass met ${found.sessions} of ${sessions} sessions, ${found.failed} failed`);
  const { driftAdded, driftRemoved, ghosts, corrected, asked } = found;
  return {
    sessions,
    sessionsPerSecond: (sessions / spentMs) * 1_000,
    questions: asked,
    repaired: driftAdded + driftRemoved + ghosts + corrected,
  };
}
