// Tells whoever asked when a username comes near its limit, and when it has moved away again. It is asked where the order
// by used is refreshed, at most about once a minute and username, so no CONNECT ever waits for it or pays for it; what
// settings have changed is noticed at the next change of the count, or by the reconciler.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import { decideLimit, type EffectiveLimit, type Override, shownLimit } from '../../domain/limit.ts';
import { decideNotice } from '../../domain/notice.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Log } from '../../ports/common/log.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import type { Noticed, NoticeStore, Notices, ThresholdNotice } from '../../ports/usage/notices.ts';
import type { RefreshPorts } from './refresh-rank.ts';

export interface ThresholdPorts {
  readonly settings: { get(id: DeploymentId): Promise<ConnectSettings | undefined> };
  readonly store: NoticeStore;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly log: Log;
}

/** Others that look at the same username at the same time agree within a round or two. */
const maxRounds = 4;

/** Whoever wrote down a crossing is at it for so long, in milliseconds; after that somebody else tells of it. */
const tellingMs = 30_000;

/**
 * A crossing is written down as not yet told, told, and written down as told, each only over what was read: so nobody
 * tells of a crossing that somebody else has told of, and what was told last is what the table says. Who dies after the
 * first write leaves it to the next who looks; who dies before the last one has told it, and it is told once more, with
 * the same time. It errs towards telling twice, never towards telling nothing. That whoever listens does not take it
 * fails nothing: it stays untold.
 */
export function createNoticeThreshold(ports: ThresholdPorts): NonNullable<RefreshPorts['notice']> {
  const { settings, store, clock } = ports;
  return async (deploymentId, username, used, { holdsMore }) => {
    const known = await settings.get(deploymentId);
    for (let round = 0; round < maxRounds; round++) {
      // Most usernames have nothing else in their item. Its rank has just been read, so it is not read again for that.
      const isBlank = holdsMore !== true && round === 0;
      const seen = isBlank ? blank : await store.readNoticed(deploymentId, username, known?.limit?.generation);
      const limit = await limitOf(ports, known, username, used, seen);
      const state = decideNotice(used, limit, seen.state === 'set');
      if (state === undefined && (!seen.untold || clock.now() - (seen.at ?? 0) < tellingMs)) return;
      const noted =
        state === undefined
          ? seen
          : await store.putNoticed(deploymentId, username, { state, at: clock.now(), untold: true }, seen);
      if (noted === 'changed') continue;
      const at = noted.at ?? clock.now();
      const notice = { deploymentId, username, used, limit: shownLimit(limit), state: noted.state, at };
      if (await wasTold(ports, notice))
        await store.putNoticed(deploymentId, username, { state: noted.state, at, untold: false }, noted);
      return;
    }
  };
}

/** What is known of a username that has no override, and of which nothing was told. */
const blank = { state: 'clear', at: undefined, untold: false, revision: undefined, override: undefined } as const;

/** The whitelist costs a reading of its own, so it is asked only where it makes a difference. */
async function limitOf(
  { store }: ThresholdPorts,
  known: ConnectSettings | undefined,
  username: Username,
  used: number,
  seen: Noticed & { readonly override: Override | undefined },
): Promise<EffectiveLimit> {
  const limit = decideLimit(known?.limit, false, seen.override);
  const listId = known?.limit?.whitelistId;
  const silent = seen.state === 'clear' && !seen.untold && decideNotice(used, limit, false) === undefined;
  if (known === undefined || listId === undefined || limit.kind !== 'number' || silent) return limit;
  const whitelisted = await store.isWhitelisted(known.deployment.deploymentId, listId, username);
  return decideLimit(known.limit, whitelisted, seen.override);
}

async function wasTold({ notices, log }: ThresholdPorts, notice: ThresholdNotice): Promise<boolean> {
  try {
    await notices.tell(notice);
    return true;
  } catch (error) {
    const { deploymentId, state } = notice;
    log.warn('a threshold notice was not taken and is told later', { deploymentId, state, error: String(error) });
    return false;
  }
}
