// Usage, read from the rosters and sessions themselves: nothing to wait for, and no number that lags.

import type { ClientId, DeploymentId, Username } from '../../../domain/ids.ts';
import { isLive, type Session } from '../../../domain/session/record.ts';
import type { Clock } from '../../../ports/common/clock.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { Stored } from '../../../ports/presence/sessions.ts';
import type { SettingsStore } from '../../../ports/settings/settings.ts';
import type { RankRequests } from '../../../ports/usage/ranks.ts';
import type { SessionState, UsageReader } from '../../../ports/usage/usage.ts';
import type { DocumentClient } from '../common/commands.ts';
import { perUsernameKey, whitelistKey } from '../common/keys.ts';
import { readItems } from '../common/read-items.ts';
import { readLastRejections } from '../rejections/last-rejections.ts';
import { isListed } from '../settings/whitelist-item.ts';
import { createUsageLists } from './usage-lists.ts';
import { describeUsername, stateOf, viewSession } from './usage-view.ts';

/** Sessions of a wide roster that may have expired and not been swept: more than a sweep leaves. */
const dueMax = 1_000;

export function createUsageReader(
  client: DocumentClient,
  tableName: string,
  ports: {
    readonly sessions: SessionStore;
    readonly settings: Pick<SettingsStore, 'getConnectSettings' | 'getSessionLimit' | 'listOverrides'>;
    readonly clock: Clock;
    readonly ranks: RankRequests;
  },
): UsageReader {
  const { sessions, settings, clock } = ports;

  async function* allSessions(id: DeploymentId, username: Username): AsyncGenerator<Stored<Session>> {
    let after: ClientId | undefined;
    do {
      const page = await sessions.listSessions(id, username, { limit: 500, ...(after === undefined ? {} : { after }) });
      yield* page.items;
      after = page.more ? page.items.at(-1)?.value.clientId : undefined;
    } while (after !== undefined);
  }

  /**
   * The sessions that the roster counts, less the expired ones (S11). The index of what is due lags and holds entries
   * that came too early, so the sessions themselves are read.
   */
  async function countStates(id: DeploymentId, username: Username): Promise<Record<SessionState, number>> {
    const states: Record<SessionState, number> = { connected: 0, retained: 0, pending: 0 };
    const counted = await readCounts(id, username);
    if (counted === undefined) return states;
    const now = clock.now();
    for await (const { value } of allSessions(id, username))
      if (isLive(value, now) && counted(value)) states[stateOf(value)]++;
    return states;
  }

  /** Whether a session is counted, by one reading of its username's roster; undefined where nothing is. */
  async function readCounts(
    id: DeploymentId,
    username: Username,
  ): Promise<((session: Session) => boolean) | undefined> {
    const tally = await sessions.readTally(id, username);
    return tally.used === 0 ? undefined : (session) => tally.claim(session.place);
  }

  /**
   * What a roster counts, less what has expired. Of a wide one the sessions that are due are looked at, not all of them:
   * there may be a hundred thousand.
   */
  async function countLive(id: DeploymentId, username: Username): Promise<number> {
    const { used, wide, wakeAt } = await sessions.readRoster(id, username);
    if (wide !== true) {
      const { connected, retained, pending } = await countStates(id, username);
      return connected + retained + pending;
    }
    const now = clock.now();
    // Nothing of it can have expired before it wakes.
    if (wakeAt === undefined || wakeAt > now) return used;
    const due = await sessions.listDue(id, username, now, dueMax, true);
    const over = await Promise.all(
      due.map(async (clientId) => {
        const session = (await sessions.readSession({ deploymentId: id, username, clientId }))?.value;
        if (session === undefined || session.phase.kind === 'ended' || isLive(session, now)) return false;
        return sessions.holds(session);
      }),
    );
    return Math.max(0, used - over.filter(Boolean).length);
  }

  async function liveSessions(
    id: DeploymentId,
    username: Username,
    page: { limit: number; after?: ClientId },
  ): Promise<{ items: Stored<Session>[]; more: boolean }> {
    const counted = await readCounts(id, username);
    const now = clock.now();
    const items: Stored<Session>[] = [];
    let after = page.after;
    for (;;) {
      const read = await sessions.listSessions(id, username, {
        limit: page.limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      // One that is not in the roster is an attempt still being decided: it is nobody's session yet.
      items.push(...read.items.filter(({ value }) => isLive(value, now) && counted?.(value) === true));
      after = read.items.at(-1)?.value.clientId;
      if (items.length > page.limit || !read.more)
        return { items: items.slice(0, page.limit), more: items.length > page.limit };
    }
  }

  return {
    ...createUsageLists({ client, tableName }, { ...ports, countLive }),
    async getUsername(id, username) {
      const itemKey = perUsernameKey('R', id, username);
      const [states, known] = await Promise.all([countStates(id, username), settings.getConnectSettings(id)]);
      const listId = known?.limit?.whitelistId;
      const entryKey = listId === undefined ? undefined : whitelistKey(id, listId, username);
      const keys = entryKey === undefined ? [itemKey] : [itemKey, entryKey];
      const find = await readItems({ client, tableName }, keys, { consistent: false });
      const used = states.connected + states.retained + states.pending;
      const whitelisted = entryKey !== undefined && isListed(find(entryKey), username);
      const usage = describeUsername(username, used, known, find(itemKey), whitelisted);
      if (used > 0 || usage.rejections !== undefined) return { ...usage, ...states };
      const last = await readLastRejections({ client, tableName }, id, username);
      return last.length === 0 ? undefined : { ...usage, ...states };
    },
    async listSessions(id, username, page) {
      const { items, more } = await liveSessions(id, username, page);
      return { items: items.map(({ value }) => viewSession(value)), more };
    },
    async getClient(id, clientId) {
      const owner = await sessions.readOwner(id, clientId);
      if (owner === undefined) return undefined;
      const username = owner.value.username;
      const session = (await sessions.readSession({ deploymentId: id, username, clientId }))?.value;
      if (session === undefined || !isLive(session, clock.now()) || !(await sessions.holds(session))) return undefined;
      return viewSession(session);
    },
  };
}
