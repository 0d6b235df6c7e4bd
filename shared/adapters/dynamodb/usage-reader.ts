// Usage, read from the rosters and sessions themselves: nothing to wait for, and no number that lags.

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import { isLive, type Session } from '../../domain/session.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RankRequests } from '../../ports/ranks.ts';
import type { Roster, SessionStore, Stored } from '../../ports/sessions.ts';
import type { SettingsStore } from '../../ports/settings.ts';
import type { SessionState, UsageReader } from '../../ports/usage.ts';
import { perUsernameKey, whitelistKey } from './keys.ts';
import { readItems } from './read-items.ts';
import { createUsageLists } from './usage-lists.ts';
import { describeUsername, stateOf, viewSession } from './usage-view.ts';

export function createUsageReader(
  client: DynamoDBDocumentClient,
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
    const roster = await sessions.readRoster(id, username);
    const states: Record<SessionState, number> = { connected: 0, retained: 0, pending: 0 };
    if (roster.used === 0) return states;
    const now = clock.now();
    for await (const { value } of allSessions(id, username))
      if (isLive(value, now) && roster.places.has(value.place)) states[stateOf(value)]++;
    return states;
  }

  async function liveSessions(
    id: DeploymentId,
    username: Username,
    roster: Roster,
    page: { limit: number; after?: ClientId },
  ): Promise<{ items: Stored<Session>[]; more: boolean }> {
    const now = clock.now();
    const items: Stored<Session>[] = [];
    let after = page.after;
    for (;;) {
      const read = await sessions.listSessions(id, username, {
        limit: page.limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      // One that is not in the roster is an attempt still being decided: it is nobody's session yet.
      items.push(...read.items.filter(({ value }) => isLive(value, now) && roster.places.has(value.place)));
      after = read.items.at(-1)?.value.clientId;
      if (items.length > page.limit || !read.more)
        return { items: items.slice(0, page.limit), more: items.length > page.limit };
    }
  }

  return {
    ...createUsageLists(
      { client, tableName },
      {
        ...ports,
        async countLive(id, username) {
          const { connected, retained, pending } = await countStates(id, username);
          return connected + retained + pending;
        },
      },
    ),
    async getUsername(id, username) {
      const itemKey = perUsernameKey('R', id, username);
      const [states, known] = await Promise.all([countStates(id, username), settings.getConnectSettings(id)]);
      const listId = known?.limit?.whitelistId;
      const entryKey = listId === undefined ? undefined : whitelistKey(id, listId, username);
      const keys = entryKey === undefined ? [itemKey] : [itemKey, entryKey];
      const find = await readItems({ client, tableName }, keys, { consistent: false });
      const used = states.connected + states.retained + states.pending;
      const whitelisted = entryKey !== undefined && find(entryKey) !== undefined;
      const usage = describeUsername(username, used, known, find(itemKey), whitelisted);
      return used === 0 && usage.rejections === undefined ? undefined : { ...usage, ...states };
    },
    async listSessions(id, username, page) {
      const roster = await sessions.readRoster(id, username);
      const { items, more } = await liveSessions(id, username, roster, page);
      return { items: items.map(({ value }) => viewSession(value)), more };
    },
    async getClient(id, clientId) {
      const owner = await sessions.readOwner(id, clientId);
      if (owner === undefined) return undefined;
      const username = owner.value.username;
      const [roster, stored] = await Promise.all([
        sessions.readRoster(id, username),
        sessions.readSession({ deploymentId: id, username, clientId }),
      ]);
      if (stored === undefined || !isLive(stored.value, clock.now()) || !roster.places.has(stored.value.place))
        return undefined;
      return viewSession(stored.value);
    },
  };
}
