// The count of a username, put together. It exists so that whoever counts a session need not know how many items the count
// is in. A narrow roster is one item (roster.ts, roster-removing.ts). A wide one has lanes beside it, which count newcomers
// (lanes.ts) out of reserves (reserves.ts, gathering.ts), and count confirmed sessions by a number (folding.ts). It must not
// know why a session is counted or freed.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { isFolded, laneOf, placeInLane, unfolded } from '../../../domain/place.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { CountRepair } from '../../../ports/counter/count-repair.ts';
import type { Counter } from '../../../ports/counter/counter.ts';
import type { Sessions } from '../../../ports/presence/sessions.ts';
import type { Due } from '../../../ports/repair/due.ts';
import type { GatheredReads } from '../common/gathered-reads.ts';
import { laneFor } from '../common/keys.ts';
import { shareReads } from '../common/shared-reads.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { createFolding } from './folding.ts';
import { createGathering } from './gathering.ts';
import { createLaneItems, type RosterLayout } from './lane-items.ts';
import { createLanes } from './lanes.ts';
import { createReserves } from './reserves.ts';
import { createRosterAdding } from './roster.ts';
import type { StoredRoster } from './roster-item.ts';
import { createRosterRemoving } from './roster-removing.ts';
import { createTallies } from './tally.ts';

interface DynamoCounter
  extends Counter,
    CountRepair,
    Pick<Due, 'lowerWake' | 'moveWake'>,
    Pick<Sessions, 'putSession'> {
  /** In a storm of rejections all of a process that are being decided ask the same, and share a reading. */
  peekItem(names: { readonly deploymentId: DeploymentId; readonly username: Username }): Promise<StoredRoster>;
}

export function createCounter(table: Table, layout: RosterLayout, random: Random, reads: GatheredReads): DynamoCounter {
  const items = createLaneItems(table, layout, reads);
  const gathering = createGathering(table, items);
  const reserves = createReserves(table, items, layout);
  const lanes = createLanes(table, { items, reserves, gathering, layout });
  const folding = createFolding(table, { items, gathering, layout, random });
  const peekItem: DynamoCounter['peekItem'] = shareReads(
    ({ deploymentId, username }) => JSON.stringify([deploymentId, username]),
    ({ deploymentId, username }) => items.readRosterItem(deploymentId, username),
  );
  return {
    ...createRosterAdding(table, { items, lanes, reserves, gathering, layout }),
    ...createRosterRemoving(table, { items, lanes, layout }),
    ...createTallies(table, items, folding),
    putSession: folding.putSession,
    peekItem,
    async readRoster(deploymentId, username) {
      const { roster, open } = await items.readRosterItem(deploymentId, username);
      if (open <= 0) return roster;
      const inReserve = (await items.readLanes(deploymentId, username)).reduce((sum, { room }) => sum + room, 0);
      return { ...roster, used: Math.max(0, roster.used - inReserve), open: true };
    },
    async peekRoster(deploymentId, username) {
      const { roster, open } = await peekItem({ deploymentId, username });
      return open > 0 ? { ...roster, open: true } : roster;
    },
    async holds({ deploymentId, username, place, phase }) {
      if (isFolded(place) && phase.kind !== 'ended') return true;
      return (await items.readPlaces(deploymentId, username, laneOf(place))).has(unfolded(place));
    },
    /** Near the limit in the roster item itself, which alone knows what is left; else in the client id's lane. */
    placeFor({ clientId }, place, roster, max, lane) {
      if (roster.wide !== true) return place;
      if (lane !== undefined) return placeInLane(place, lane);
      // While lanes are open, what is left may be with them.
      const far = roster.open === true || max - roster.used >= layout.near;
      return placeInLane(place, far ? laneFor(clientId, layout.lanes) : 0);
    },
    async gatherReserve(deploymentId, username) {
      await gathering.gather(deploymentId, username);
    },
  };
}
