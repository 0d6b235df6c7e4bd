// Which deployment a TLS server name stands for, asked before anything else of a CONNECT is known. Names below the
// installation's own domain say it themselves; any other is looked up, known or not, in the same way and the same time
// (S6), and remembered for seconds.

import { type DeploymentId, parseDeploymentId } from '../domain/ids.ts';
import { parseMqttHost } from '../domain/mqtt-host.ts';
import type { Clock } from '../ports/clock.ts';
import type { SettingsStore } from '../ports/settings.ts';
import { remember } from './short-memory.ts';

/** Undefined where the name stands for none. Throws StoreUnavailable where the database does not answer. */
export type HostLookup = (serverName: string) => Promise<string | undefined>;

export function createHostLookup(
  store: Pick<SettingsStore, 'getDeploymentOfHost'>,
  clock: Clock,
  mqttDomain: string | undefined,
): HostLookup {
  const find = remember<DeploymentId>(clock, (host) => store.getDeploymentOfHost(host), true);
  return async (serverName) => {
    const host = parseMqttHost(serverName);
    if (!host.ok) return undefined;
    if (mqttDomain !== undefined && host.value.endsWith(`.${mqttDomain}`)) {
      const label = host.value.slice(0, -mqttDomain.length - 1);
      return parseDeploymentId(label).ok ? label : undefined;
    }
    return find.get(host.value).catch((error: unknown) => {
      // While the database is down, a name that was known minutes ago still stands for what it did (S17).
      const recalled = find.recall(host.value);
      if (recalled === undefined) throw error;
      return recalled;
    });
  };
}
