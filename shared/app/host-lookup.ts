// Which deployment a TLS server name stands for, asked before anything else of a CONNECT is known. Names below the
// installation's own domain say it themselves; any other is looked up, known or not, in the same way and the same time
// (S6), and remembered for seconds.

import { type DeploymentId, parseDeploymentId } from '../domain/ids.ts';
import { isOfAws, parseMqttHost } from '../domain/mqtt-host.ts';
import type { Clock } from '../ports/clock.ts';
import type { SettingsStore } from '../ports/settings.ts';
import { remember } from './short-memory.ts';

/** Undefined where the name stands for none. Throws StoreUnavailable where the database does not answer. */
export type HostLookup = (serverName: string) => Promise<string | undefined>;

interface Found {
  readonly deploymentId: DeploymentId | undefined;
}

/** `store` answers in time, or throws: whatever remembers for it stands behind that. */
export function createHostLookup(
  store: Pick<SettingsStore, 'getDeploymentOfHost'>,
  clock: Clock,
  mqttDomain: string | undefined,
): HostLookup {
  // That a name stands for none is an answer like another, and remembered as long: the endpoint that all deployments
  // share has such a name, and its clients are let in by their suffix also while the database is down.
  const names = remember<Found>(clock, async (host) => ({ deploymentId: await store.getDeploymentOfHost(host) }), true);
  return async (serverName) => {
    const host = parseMqttHost(serverName);
    if (!host.ok || isOfAws(host.value)) return undefined;
    if (mqttDomain !== undefined && host.value.endsWith(`.${mqttDomain}`)) {
      const label = host.value.slice(0, -mqttDomain.length - 1);
      return parseDeploymentId(label).ok ? label : undefined;
    }
    const found = await names.get(host.value).catch((error: unknown) => {
      // While the database is down, a name that was known minutes ago still stands for what it did (S17).
      const recalled = names.recall(host.value);
      if (recalled === undefined) throw error;
      return recalled;
    });
    return found?.deploymentId;
  };
}
