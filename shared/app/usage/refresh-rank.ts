// Makes a username's rank what its roster counts. Off the connect path, and at most about once a minute and username:
// an order that moved with every change of a count would cost every session as much again (ADR 3).

import type { DeploymentId, Username } from '../../domain/ids.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { SessionStore } from '../../ports/counter/sessions.ts';
import type { RankStore } from '../../ports/usage/ranks.ts';

export interface RefreshPorts {
  readonly store: Pick<SessionStore, 'readRoster'>;
  readonly ranks: RankStore;
  /** Who knows what is counted tells of it too, where somebody asked. Absent: nobody did. */
  readonly notice?: (deploymentId: DeploymentId, username: Username, used: number) => Promise<void>;
}

/** Others that refresh the same username at the same time agree within a round or two. */
const maxRounds = 8;

/**
 * The roster is read after the rank, and the rank is written only if it is still the one that was read: so of any two
 * refreshes at once the one that read the roster later has the last word, and no change that came before the last of
 * them is left out. Repeating it changes nothing.
 */
export async function refreshRank(
  ports: RefreshPorts,
  deploymentId: DeploymentId,
  username: Username,
): Promise<'changed' | 'same'> {
  for (let round = 0; round < maxRounds; round++) {
    const seen = await ports.ranks.readRank(deploymentId, username);
    const { used } = await ports.store.readRoster(deploymentId, username);
    // Before the rank: with the last session a username's item goes too, where nothing is left to be told.
    if (ports.notice !== undefined) await ports.notice(deploymentId, username, used);
    if (used === seen.used) return 'same';
    if ((await ports.ranks.putRank(deploymentId, username, used, seen)) === 'done') return 'changed';
  }
  throw new StoreUnavailable(new Error('others kept refreshing this username'));
}
