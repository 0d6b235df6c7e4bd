// Settings of the connect path, held for a few seconds so that a storm of CONNECTs reads them once (S1: a change holds
// at most 5 s later). Unknown deployments are remembered too. Bounded: the oldest entry goes.

import { settingsCacheMs } from '../config/constants.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Ms } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectSettings, SettingsStore } from '../ports/settings.ts';

export interface SettingsCache {
  get(id: DeploymentId): Promise<ConnectSettings | undefined>;
}

const maxEntries = 2_000;

export function createSettingsCache(store: Pick<SettingsStore, 'getConnectSettings'>, clock: Clock): SettingsCache {
  const entries = new Map<
    DeploymentId,
    { readonly readAt: Ms; readonly answer: Promise<ConnectSettings | undefined> }
  >();
  return {
    get(id) {
      const now = clock.now();
      const known = entries.get(id);
      // A clock that stepped back makes an entry look young; it is read again.
      if (known !== undefined && now >= known.readAt && now - known.readAt < settingsCacheMs) return known.answer;
      const answer = store.getConnectSettings(id);
      entries.delete(id);
      entries.set(id, { readAt: now, answer });
      answer.catch(() => {
        if (entries.get(id)?.answer === answer) entries.delete(id);
      });
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
      return answer;
    },
  };
}
