// Usage, read from the rosters and sessions themselves: nothing to wait for, nothing that lags. Rosters of a
// deployment lie in a fixed number of partitions, each sorted by username; a page merges them.

import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import { maxSessions } from '../../domain/limit.ts';
import { isLive, type Session } from '../../domain/session.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { Roster, SessionStore, Stored } from '../../ports/sessions.ts';
import type { SettingsStore } from '../../ports/settings.ts';
import type { SessionState, UsageReader, UsernameUsage } from '../../ports/usage.ts';
import { answering } from './client.ts';
import { type Key, perUsernameKey, perUsernamePk, whitelistKey } from './keys.ts';
import { decodeRoster } from './roster.ts';
import type { Item } from './session-item.ts';
import { describeUsername, stateOf, viewSession } from './usage-view.ts';
import { buildRosterQuery, type Counted, mergePartitions, type Range, type RosterPage } from './username-pages.ts';

export function createUsageReader(
  client: DynamoDBDocumentClient,
  tableName: string,
  ports: {
    readonly sessions: SessionStore;
    readonly settings: Pick<SettingsStore, 'getConnectSettings'>;
    readonly clock: Clock;
  },
): UsageReader {
  const { sessions, settings, clock } = ports;

  /** Sessions in the roster that have expired and are not swept yet: they do not count in a reading either (S11). */
  async function expiredInRoster(id: DeploymentId, username: Username, roster: Roster, now: Ms): Promise<number> {
    if (roster.wakeAt === undefined || roster.wakeAt > now) return 0;
    // Something may have expired since the last sweep. The index lags and holds entries that came too early, so the
    // sessions themselves are read.
    let expired = 0;
    for await (const { value } of allSessions(id, username))
      if (!isLive(value, now) && roster.places.has(value.place)) expired++;
    return expired;
  }

  async function* allSessions(id: DeploymentId, username: Username): AsyncGenerator<Stored<Session>> {
    let after: ClientId | undefined;
    do {
      const page = await sessions.listSessions(id, username, { limit: 500, ...(after === undefined ? {} : { after }) });
      yield* page.items;
      after = page.more ? page.items.at(-1)?.value.clientId : undefined;
    } while (after !== undefined);
  }

  async function rostersOf(id: DeploymentId, partition: number, range: Range, limit: number): Promise<RosterPage> {
    const answer = await answering(() =>
      client.send(new QueryCommand(buildRosterQuery(tableName, perUsernamePk('N', id, partition), range, limit))),
    );
    const items = (answer.Items ?? []).map((item) => ({
      username: String(item.sk) as Username,
      roster: decodeRoster(item),
    }));
    return { items, more: answer.LastEvaluatedKey !== undefined };
  }

  async function describe(
    id: DeploymentId,
    counted: readonly Counted[],
    used: readonly number[],
  ): Promise<UsernameUsage[]> {
    const known = await settings.getConnectSettings(id);
    const whitelistId = known?.limit?.whitelistId;
    const keys = counted.flatMap(({ username }) => [
      perUsernameKey('R', id, username),
      ...(known?.limit === undefined ? [] : [perUsernameKey('O', id, username)]),
      ...(whitelistId === undefined ? [] : [whitelistKey(id, whitelistId, username)]),
    ]);
    const items = await readItems(client, tableName, keys);
    return counted.map(({ username }, n) => {
      const at = (key: Key): Item | undefined => items.get(keyText(key));
      return describeUsername(username, used[n] ?? 0, known, {
        rejections: at(perUsernameKey('R', id, username)),
        override: at(perUsernameKey('O', id, username)),
        whitelisted: whitelistId !== undefined && at(whitelistKey(id, whitelistId, username)) !== undefined,
      });
    });
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

  async function listUsernames(
    id: DeploymentId,
    page: Parameters<UsageReader['listUsernames']>[1],
  ): ReturnType<UsageReader['listUsernames']> {
    const read = (partition: number, limit: number, from: Username | undefined): Promise<RosterPage> =>
      rostersOf(id, partition, { order: page.order, after: from, prefix: page.prefix }, limit);
    const items: UsernameUsage[] = [];
    let after = page.after;
    // A username all of whose sessions have expired is no longer one; more may be needed to fill the page.
    for (;;) {
      const merged = await mergePartitions(read, page.limit + 1 - items.length, page.order, after);
      const now = clock.now();
      const used = await Promise.all(
        merged.items.map(
          async ({ username, roster }) => roster.used - (await expiredInRoster(id, username, roster, now)),
        ),
      );
      const live = merged.items.map((one, n) => ({ one, used: used[n] ?? 0 })).filter((entry) => entry.used > 0);
      items.push(
        ...(await describe(
          id,
          live.map((entry) => entry.one),
          live.map((entry) => entry.used),
        )),
      );
      after = merged.items.at(-1)?.username ?? after;
      if (items.length > page.limit || !merged.more)
        return { items: items.slice(0, page.limit), more: items.length > page.limit };
    }
  }

  return {
    listUsernames,
    async getUsername(id, username) {
      const now = clock.now();
      const roster = await sessions.readRoster(id, username);
      const states: Record<SessionState, number> = { connected: 0, retained: 0, pending: 0 };
      for await (const { value } of allSessions(id, username))
        if (isLive(value, now) && roster.places.has(value.place)) states[stateOf(value)]++;
      const used = states.connected + states.retained + states.pending;
      const [usage] = await describe(id, [{ username, roster }], [used]);
      if (usage === undefined || (usage.used <= 0 && usage.rejections === undefined)) return undefined;
      return { ...usage, ...states };
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
    async countOverLimit(id) {
      let over = 0;
      let after: Username | undefined;
      for (;;) {
        const page = await listUsernames(id, { limit: 100, order: 'asc', ...(after === undefined ? {} : { after }) });
        over += page.items.filter((usage) => usage.used > maxSessions(usage.limit)).length;
        after = page.items.at(-1)?.username;
        if (!page.more) return over;
      }
    },
  };

  async function readItems(
    documents: DynamoDBDocumentClient,
    table: string,
    keys: readonly Key[],
  ): Promise<Map<string, Item>> {
    const found = new Map<string, Item>();
    for (let from = 0; from < keys.length; from += 100) {
      const Keys = keys.slice(from, from + 100);
      const answer = await answering(() =>
        documents.send(new BatchGetCommand({ RequestItems: { [table]: { Keys } } })),
      );
      if ((answer.UnprocessedKeys?.[table]?.Keys?.length ?? 0) > 0)
        throw new StoreUnavailable(new Error('keys left unread'));
      for (const item of answer.Responses?.[table] ?? [])
        found.set(keyText({ pk: String(item.pk), sk: String(item.sk) }), item);
    }
    return found;
  }
}

const keyText = (key: Key): string => `${key.pk}\n${key.sk}`;
