// Sessions, client id owners and rosters in DynamoDB. Why the writes are these, and in which order the use cases send
// them: docs/adr/0001-write-pattern-of-admission.md; what changes with a large username: docs/adr/0006-wide-rosters.md.

import { tableDefinition } from '../../../config/table.ts';
import type { ClientId, DeploymentId, Username } from '../../../domain/ids.ts';
import { type Ms, ms, toEpochSeconds } from '../../../domain/time.ts';
import type { ConnectView, LookFor, Owner } from '../../../ports/admission/owners.ts';
import type { Random } from '../../../ports/common/random.ts';
import type { SessionStore } from '../../../ports/common/session-store.ts';
import type { Names, Stored } from '../../../ports/presence/sessions.ts';
import type { Wake } from '../../../ports/repair/due.ts';
import { answering } from '../common/answering.ts';
import type { BackOff } from '../common/back-off.ts';
import { DeleteCommand, type DocumentClient, QueryCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { createGatheredReads } from '../common/gathered-reads.ts';
import {
  allWakePartitions,
  duePk,
  type Key,
  ownerKey,
  perUsernameKey,
  sessionKey,
  whitelistKey,
} from '../common/keys.ts';
import { replace } from '../common/replace.ts';
import { createCounter } from '../counter/counter.ts';
import { type RosterLayout, usualLayout } from '../counter/lane-items.ts';
import { decodeStoredRoster, parseRosterKey } from '../counter/roster-item.ts';
import { parseOverrideItem } from '../settings/settings-item.ts';
import { isListed } from '../settings/whitelist-item.ts';
import { decodeSession, type Item, parseSessionKey } from './session-item.ts';
import { createSessionPages } from './session-pages.ts';

const [wakeIndex, dueIndex] = tableDefinition.indexes;
/** Usernames of a kind that a process remembers. */
const namesMax = 1_000;

/** What tests and the benchmark choose for themselves. */
export interface StoreOptions {
  readonly layout?: RosterLayout;
  readonly backOff?: BackOff;
}

export function createSessionStore(
  client: DocumentClient,
  tableName: string,
  random: Random,
  { layout = usualLayout, backOff }: StoreOptions = {},
): SessionStore {
  const table = { client, tableName, ...(backOff === undefined ? {} : { backOff }) };
  const reads = createGatheredReads(table);
  const { peekItem, ...counter } = createCounter(table, layout, random, reads);
  /**
   * Usernames whose roster was wide and had room when this process read it last. Of those whose roster would be read
   * apart: a fleet that shares a username would read that one item thousands of times a second.
   */
  const busy = createNames();
  /** Usernames whose roster was full when this process read it last, for a client that had no session. */
  const full = createNames();

  const get = reads.consistent;

  async function readForConnect(names: Names, lookFor: LookFor): Promise<ConnectView> {
    const { deploymentId, username, clientId } = names;
    const { whitelistId, overridesOf, limit } = lookFor;
    const keys = {
      session: sessionKey(deploymentId, username, clientId),
      owner: ownerKey(deploymentId, clientId),
      override: overridesOf === undefined ? undefined : perUsernameKey('O', deploymentId, username),
      whitelist: whitelistId === undefined ? undefined : whitelistKey(deploymentId, whitelistId, username),
    };
    const rosterKey = perUsernameKey('N', deploymentId, username);
    const name = JSON.stringify([deploymentId, username]);
    // Whoever is turned away reads roster and session once more, consistently: 2 units. A fifth key in the batch would
    // make that more than 4, so then the roster is read once, apart; so it is where it was full a moment ago, because
    // whoever comes now is likely to be turned away as well.
    const isFive = keys.override !== undefined && keys.whitelist !== undefined;
    const mayLag = !full.has(name) && (!isFive || busy.has(name));
    const find = (key: Key | undefined) => (key === undefined ? undefined : reads.lagging(key));
    const [session, owner, overrideItem, whitelistItem, { roster, open }] = await Promise.all([
      find(keys.session),
      find(keys.owner),
      find(keys.override),
      find(keys.whitelist),
      mayLag ? reads.lagging(rosterKey).then((item) => decodeStoredRoster(item, layout.wideAt)) : peekItem(names),
    ]);
    const override = overridesOf === undefined ? undefined : parseOverrideItem(overrideItem, overridesOf);
    const known = session === undefined ? undefined : decodeSession(session);
    const whitelisted = isListed(whitelistItem, username);
    const isFull = roster.used >= (override?.kind === 'number' ? override.max : limit);
    const isLimited = !whitelisted && (override === undefined || override.kind === 'number');
    busy.note(name, isFive && roster.wide === true && !(isFull && isLimited));
    full.note(name, isFull && isLimited && (known === undefined || known.value.phase.kind === 'ended'));
    return {
      session: known,
      owner: owner === undefined ? undefined : decodeOwner(owner),
      roster: open > 0 ? { ...roster, open: true } : roster,
      rosterIsExact: !mayLag,
      whitelisted,
      override,
    };
  }

  async function queryDue(pk: string, until: Ms | undefined, limit: number): Promise<readonly Item[]> {
    const answer = await answering(() =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: dueIndex.name,
          KeyConditionExpression: until === undefined ? 'duePk = :pk' : 'duePk = :pk AND dueAt <= :until',
          ExpressionAttributeValues: { ':pk': pk, ...(until === undefined ? {} : { ':until': until }) },
          Limit: limit,
        }),
      ),
    );
    return answer.Items ?? [];
  }

  /** Earliest first, of all the partitions that the username's sessions may be due in. */
  async function listDue(
    deploymentId: DeploymentId,
    username: Username,
    until: Ms | undefined,
    limit: number,
    wide: boolean,
  ): Promise<readonly Item[]> {
    const partitions = Array.from({ length: wide ? layout.lanes + 1 : 1 }, (_, lane) =>
      duePk(deploymentId, username, lane),
    );
    const found = await Promise.all(partitions.map((pk) => queryDue(pk, until, limit)));
    if (!wide) return found.flat();
    return found
      .flat()
      .sort((a, b) => Number(a.dueAt) - Number(b.dueAt))
      .slice(0, limit);
  }

  return {
    ...counter,
    readForConnect,
    async readSession({ deploymentId, username, clientId }) {
      const item = await get(sessionKey(deploymentId, username, clientId));
      return item === undefined ? undefined : decodeSession(item);
    },
    async readOwner(deploymentId, clientId) {
      const item = await get(ownerKey(deploymentId, clientId));
      return item === undefined ? undefined : decodeOwner(item);
    },
    async removeSession({ deploymentId, username, clientId }, expected) {
      const command = new DeleteCommand({
        TableName: tableName,
        Key: sessionKey(deploymentId, username, clientId),
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': expected.revision },
      });
      return (await refusable(() => client.send(command), backOff)) instanceof Refused ? 'changed' : 'done';
    },
    putOwner(deploymentId: DeploymentId, clientId: ClientId, owner: Owner, expected) {
      const revision = random.revision();
      const item = {
        username: owner.username,
        ttl: toEpochSeconds(owner.keptUntil),
        ...ownerKey(deploymentId, clientId),
      };
      return replace(table, owner, item, revision, expected, decodeOwner);
    },
    async listDue(deploymentId, username, until, limit, wide = false) {
      const due = await listDue(deploymentId, username, until, limit, wide);
      return due.map((item) => String(item.sk) as ClientId);
    },
    async nextDue(deploymentId, username, wide = false) {
      const [first] = await listDue(deploymentId, username, undefined, 1, wide);
      return first === undefined ? undefined : ms(Number(first.dueAt));
    },
    listSessions: createSessionPages(table),
    async listWakes(partition, until, limit, after) {
      const answer = await answering(() =>
        client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: wakeIndex.name,
            KeyConditionExpression: 'wakePk = :pk AND wakeAt <= :until',
            ExpressionAttributeValues: { ':pk': allWakePartitions[partition], ':until': until },
            Limit: limit,
            ...(after === undefined ? {} : { ExclusiveStartKey: buildWakeKey(partition, after) }),
          }),
        ),
      );
      return (answer.Items ?? []).map(parseWake);
    },
  };
}

function parseWake(entry: Item): Wake {
  const pk = String(entry.pk);
  const at = ms(Number(entry.wakeAt));
  if (pk.startsWith('S|')) return { kind: 'lease', names: parseSessionKey(pk, String(entry.sk)), at };
  return { kind: 'roster', ...parseRosterKey(pk, String(entry.sk)), at };
}

/** An entry's key in the index: its own, and that of the item it stands for. */
function buildWakeKey(partition: number, wake: Wake): Item {
  const { deploymentId, username } = wake.kind === 'lease' ? wake.names : wake;
  const key =
    wake.kind === 'lease'
      ? sessionKey(deploymentId, username, wake.names.clientId)
      : perUsernameKey('N', deploymentId, username);
  return { ...key, [wakeIndex.partitionKey]: allWakePartitions[partition], [wakeIndex.sortKey]: wake.at };
}

function decodeOwner(item: Item): Stored<Owner> {
  const keptUntil = ms(Number(item.ttl) * 1000);
  return { value: { username: String(item.username) as Username, keptUntil }, revision: String(item.rev) };
}

/** What was last seen of usernames, of the latest so many: it tells which way to read is likely the cheaper one. */
function createNames(): { has(name: string): boolean; note(name: string, holds: boolean): void } {
  const names = new Set<string>();
  return {
    has: (name) => names.has(name),
    note(name, holds) {
      names.delete(name);
      if (holds) names.add(name);
      const [oldest] = names;
      if (names.size > namesMax && oldest !== undefined) names.delete(oldest);
    },
  };
}
