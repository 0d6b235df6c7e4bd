// Lists of usernames with their usage. Whatever the order, `used` is what the roster counts at this moment, less what has
// expired and is not swept yet; an index only says who comes next.

import { usernamesPerListMax } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { decideLimit, maxSessions } from '../../../domain/limit.ts';
import type { Clock } from '../../../ports/common/clock.ts';
import type { SettingsStore } from '../../../ports/settings/settings.ts';
import type { RankRequests } from '../../../ports/usage/ranks.ts';
import type { UsageReader, UsernameUsage } from '../../../ports/usage/usage.ts';
import { perUsernameKey } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import type { Item } from '../presence/session-item.ts';
import { compareUsernames, type Table } from '../settings/settings-by-username.ts';
import { createWhitelistMemory } from '../settings/whitelist-memory.ts';
import { type Counted, eachCounted, listCounted, readCounted } from './counted-pages.ts';
import { listRanked } from './rank-pages.ts';
import { rankedUsed } from './usage-item.ts';
import { describeUsername } from './usage-view.ts';

export interface ListPorts {
  readonly settings: Pick<SettingsStore, 'getConnectSettings' | 'getSessionLimit' | 'listOverrides'>;
  readonly clock: Clock;
  /** Asked for usernames whose rank does not agree with their roster. */
  readonly ranks: RankRequests;
  /** Live sessions of a username some of which may have expired, or whose roster holds something in reserve. */
  readonly countLive: (id: DeploymentId, username: Username) => Promise<number>;
}

/** Rounds of a page whose usernames have all gone since they were ranked; after them it is empty, and says where to go on. */
const maxEmptyRounds = 4;

export function createUsageLists(
  table: Table,
  ports: ListPorts,
): Pick<UsageReader, 'listUsernames' | 'listByUsed' | 'countOverLimit'> {
  const { settings, clock, ranks, countLive } = ports;
  const whitelistOf = createWhitelistMemory(table);

  /** Something may have expired since the last sweep (S11). */
  function usedOf(id: DeploymentId, { username, used, wakeAt, open }: Counted): Promise<number> | number {
    const due = wakeAt !== undefined && wakeAt <= clock.now();
    return used > 0 && (due || open) ? countLive(id, username) : used;
  }

  async function describe(
    id: DeploymentId,
    counted: readonly Counted[],
    itemOf: (username: Username) => Item | undefined,
    atLeast: number,
  ): Promise<UsernameUsage[]> {
    const known = await settings.getConnectSettings(id);
    const whitelist = await whitelistOf(id, known?.limit?.whitelistId);
    const used = await Promise.all(counted.map((one) => usedOf(id, one)));
    const behind = counted.filter((one) => rankedUsed(itemOf(one.username)) !== one.used);
    await Promise.all(behind.map(({ username }) => ranks.ask(id, username)));
    return counted
      .map(({ username }, n) =>
        describeUsername(username, used[n] ?? 0, known, itemOf(username), whitelist.has(username)),
      )
      .filter((usage) => usage.used >= atLeast);
  }

  async function listUsernames(
    id: DeploymentId,
    page: Parameters<UsageReader['listUsernames']>[1],
  ): ReturnType<UsageReader['listUsernames']> {
    const items: UsernameUsage[] = [];
    let after = page.after;
    // A username all of whose sessions have expired is no longer one; more may be needed to fill the page.
    for (;;) {
      const merged = await listCounted(table, id, { ...page, after }, page.limit - items.length);
      const keyOf = (username: Username) => perUsernameKey('R', id, username);
      const find = await readItems(
        table,
        merged.items.map(({ username }) => keyOf(username)),
        { consistent: false },
      );
      items.push(...(await describe(id, merged.items, (username) => find(keyOf(username)), 1)));
      after = merged.items.at(-1)?.username ?? after;
      if (items.length >= page.limit || !merged.more) return { items, more: merged.more };
    }
  }

  async function listByUsed(
    id: DeploymentId,
    { limit, order, after: from, minUsed = 0 }: Parameters<UsageReader['listByUsed']>[1],
  ): ReturnType<UsageReader['listByUsed']> {
    let after = from;
    for (let round = 0; ; round++) {
      const ranked = await listRanked(table, id, { order, after, minUsed }, limit);
      const entries = new Map(ranked.items.map((one) => [one.username, one.item]));
      const counted = await readCounted(
        table,
        id,
        ranked.items.map(({ username }) => username),
      );
      const items = await describe(id, counted, (username) => entries.get(username), Math.max(1, minUsed));
      const last = ranked.items.at(-1);
      after = last === undefined ? after : { used: last.used, username: last.username };
      if (items.length > 0 || !ranked.more || round >= maxEmptyRounds)
        return { items: items.sort(byUsed(order)), next: ranked.more ? after : undefined };
    }
  }

  async function countOverLimit(id: DeploymentId): Promise<number> {
    const limit = await settings.getSessionLimit(id);
    if (limit?.enabled !== true) return 0;
    const whitelist = new Set(limit.whitelist);
    const overrides = new Map(
      ((await settings.listOverrides(id, { limit: usernamesPerListMax })) ?? []).map((one) => [
        one.username,
        one.override,
      ]),
    );
    let over = 0;
    await eachCounted(table, id, async (counted) => {
      const { username } = counted;
      const max = maxSessions(decideLimit(limit, whitelist.has(username), overrides.get(username)));
      // What has expired only makes it fewer.
      if (counted.used > max && (await usedOf(id, counted)) > max) over++;
    });
    return over;
  }

  return { listUsernames, listByUsed, countOverLimit };
}

function byUsed(order: 'asc' | 'desc'): (a: UsernameUsage, b: UsernameUsage) => number {
  const sign = order === 'asc' ? 1 : -1;
  return (a, b) => sign * (a.used - b.used || compareUsernames(a.username, b.username));
}
