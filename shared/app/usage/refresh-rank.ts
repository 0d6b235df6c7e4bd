// Usage: what an operator sees of counts beside a single session, that is the order of usernames by used, and notices at
// a threshold. It exists apart from counting, so that no CONNECT pays for a list (ADR 3). This folder must not change what
// is counted, and nothing that decides may wait for it.
//
// This file makes a username's rank equal to what its roster counts, at most about once a minute and username. An order
// that moved with each change of a count would cost each session as much again.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Rank, RankStore } from '../../ports/usage/ranks.ts';

export interface RefreshPorts {
  readonly store: Pick<SessionStore, 'readRoster'>;
  readonly ranks: RankStore;
  /** Who knows what is counted tells of it too, where somebody asked. Absent: nobody did. `seen`: read before the count. */
  readonly notice?: (
    deploymentId: DeploymentId,
    username: Username,
    used: number,
    seen: Pick<Rank, 'holdsMore'>,
  ) => Promise<void>;
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
    if (ports.notice !== undefined) await ports.notice(deploymentId, username, used, seen);
    if (used === seen.used) return 'same';
    if ((await ports.ranks.putRank(deploymentId, username, used, seen)) === 'done') return 'changed';
  }
  throw new StoreUnavailable(new Error('others kept refreshing this username'));
}
