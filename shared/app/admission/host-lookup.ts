// Which deployment a TLS server name stands for, asked before anything else of a CONNECT is known. A name below the MQTT
// domain of the installation decides alone (S25); any other leaves the choice to the suffix, and is not looked up. Every
// label is looked up in the same way and the same time, known or not (S6), and remembered for seconds.

import { readingsAtOnce, readingsWaitingMax } from '../../config/constants.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { isHostLabel, labelBelow } from '../../domain/mqtt-host.ts';
import { networkOf } from '../../domain/source-address.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { DeploymentStore } from '../../ports/settings/settings.ts';
import { remember } from '../common/short-memory.ts';
import { createFairTurns } from './fair-turns.ts';

/**
 * Undefined leaves the choice to the suffix. Any string decides, also one that names no deployment, which gets the
 * answer of unknown ones. Throws StoreUnavailable where the database does not answer.
 */
export type HostLookup = (serverName: string, sourceAddress?: string) => Promise<string | undefined>;

interface Found {
  readonly deploymentId: DeploymentId | undefined;
}

/** `store` answers in time, or throws: whatever remembers for it stands behind that. */
export function createHostLookup(
  store: Pick<DeploymentStore, 'getDeploymentOfHost'>,
  clock: Clock,
  mqttDomain: string | undefined,
): HostLookup {
  // That no deployment has set a name is an answer like another, and remembered as long: the deployment of that id is
  // let in by it also while the database is down.
  const names = remember<Found>(clock, async (host) => ({ deploymentId: await store.getDeploymentOfHost(host) }), true);
  // Labels are free to invent, so readings for them are shared by source address, like those before a password (S24).
  const turns = createFairTurns({ maxRunning: readingsAtOnce, maxWaiting: readingsWaitingMax });
  const look = async (host: string, sourceAddress: string | undefined): Promise<Found | undefined> => {
    if (names.isHeld(host)) return names.get(host);
    const share = { deployment: '', address: networkOf(sourceAddress) };
    const turn = await turns.take(share, undefined, async () => ({ found: await names.get(host) }));
    if (turn === undefined) throw new StoreUnavailable(new Error('too many server names wait to be looked up'));
    return turn.found;
  };
  return async (serverName, sourceAddress) => {
    const label = mqttDomain === undefined ? undefined : labelBelow(serverName, mqttDomain);
    if (label === undefined || !isHostLabel(label)) return label;
    const host = `${label}.${mqttDomain}`;
    const found = await look(host, sourceAddress).catch((error: unknown) => {
      // While the database is down, a name that was known minutes ago still stands for what it did (S17).
      const recalled = names.recall(host);
      if (recalled === undefined) throw error;
      return recalled;
    });
    // A label that is set is never the id of another deployment, so an id always stands for itself.
    return found?.deploymentId ?? label;
  };
}
