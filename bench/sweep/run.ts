// Expired sessions in a table, and sweeps until none is left.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { addSeconds, ms, seconds } from '../../shared/domain/time.ts';
import { seedRetained } from '../fill/retained.ts';

const now = ms(1_790_000_000_000);

export async function seedExpired(
  client: DocumentClient,
  tableName: string,
  sessions: number,
  usernames: number,
): Promise<void> {
  const names = Array.from({ length: usernames }, (_, n) => `user-${n}`);
  await sideBySide(names, 8, async (username) => {
    await seedRetained(client, tableName, {
      deploymentId: 'demo' as DeploymentId,
      username,
      count: Math.round(sessions / usernames),
      expiresAt: addSeconds(now, seconds(-30)),
    });
  });
}

/** Sweeps until one finds nothing to free, or is told to stop. */
export async function sweepExpired(
  client: DocumentClient,
  tableName: string,
  shouldStop: () => boolean = () => false,
): Promise<{ freed: number; sweeps: number }> {
  const ports = createCore({
    client,
    tableName,
    clock: { now: () => now },
    random: cryptoRandom,
    broker: {
      getConnection: async () => ({ kind: 'absent' as const }),
      deleteConnection: async () => 'gone' as const,
    },
  });
  for (let freed = 0, sweeps = 0; ; sweeps++) {
    const swept = await sweep(ports, shouldStop);
    if (swept.failed > 0) throw new Error(`${swept.failed} wakes failed`);
    freed += swept.freed;
    if (swept.freed === 0 || shouldStop()) return { freed, sweeps };
  }
}
