// Finds the deployment of a TLS server name, before anything else of a CONNECT is known. A name below the MQTT domain of
// the installation decides alone (S25). Any other name leaves the choice to the suffix, and is not looked up. The look-up takes
// the same way and time for a known and an unknown label (S6), and is remembered for seconds.

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

/** `store` answers in time, or throws. */
export function createHostLookup(
  store: Pick<DeploymentStore, 'getDeploymentOfHost'>,
  clock: Clock,
  mqttDomain: string | undefined,
): HostLookup {
  // "No deployment has set this name" is remembered as long as any other answer, because the label may be a deployment's
  // id. Its clients are let in by that memory while the database is down.
  const names = remember<Found>(clock, async (host) => ({ deploymentId: await store.getDeploymentOfHost(host) }), true);
  // A client can invent any label, so source addresses share these readings, as before a password check (S24).
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
      // While the database is down, a name that was known minutes ago keeps its deployment (S17).
      const recalled = names.recall(host);
      if (recalled === undefined) throw error;
      return recalled;
    });
    // A label that is set is never the id of another deployment, so an id always stands for itself.
    return found?.deploymentId ?? label;
  };
}
