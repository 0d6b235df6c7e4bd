// The session limit of a deployment: one item that decides, and the whitelist entries that it points to.

import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import type { SessionLimit } from '../../../domain/limit.ts';
import { differing, limitSettings, settingsIn } from '../../../domain/settings.ts';
import type { Ms } from '../../../domain/time.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Log } from '../../../ports/common/log.ts';
import type { Change, Missing, Stale, StoredSessionLimit, WriteOutcome } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { GetCommand } from '../common/commands.ts';
import { deploymentKey, limitKey } from '../common/keys.ts';
import { transact } from '../common/transaction.ts';
import { auditLimit, buildAuditItem } from './settings-audit.ts';
import { sortUsernames, type Table } from './settings-by-username.ts';
import { type LimitItem, parseLimitItem } from './settings-item.ts';
import { clearWhitelists, readWhitelist, writeWhitelist } from './settings-whitelist.ts';
import { whitelistIdFor } from './whitelist-item.ts';

/** Rounds of "somebody wrote first, look again" before the answer is unavailable. */
const maxRounds = 8;

const settingNames = Object.keys(limitSettings) as readonly (keyof SessionLimit)[];
/** Names of settings stand behind placeholders: DynamoDB reserves words such as `mode`. */
const settingPlaceholders = Object.fromEntries(settingNames.map((name) => [`#setting_${name}`, name]));

const unique = (): string => randomBytes(9).toString('base64url');

export async function readLimitItem(table: Table, id: DeploymentId): Promise<LimitItem> {
  const command = new GetCommand({ TableName: table.tableName, Key: limitKey(id), ConsistentRead: true });
  return parseLimitItem((await answering(() => table.client.send(command))).Item);
}

interface Seen {
  readonly item: LimitItem;
  readonly stored: StoredSessionLimit | undefined;
}

/** Reads again where the list was switched, and its entries cleared away, between pointer and entries. */
async function readLimit(table: Table, id: DeploymentId): Promise<Seen> {
  let item = await readLimitItem(table, id);
  for (let round = 0; round < maxRounds; round += 1) {
    const { configured, version } = item;
    if (configured === undefined) return { item, stored: undefined };
    const { settings, updatedAt } = configured;
    const whitelist = await readWhitelist(table, id, configured.whitelistId);
    const seen = { item, stored: { ...settings, whitelist, version, updatedAt } };
    if (whitelist.length === configured.whitelistSize) return seen;
    item = await readLimitItem(table, id);
    if (item.version === version) return seen;
  }
  throw new StoreUnavailable('the session limit kept changing');
}

export async function getSessionLimit(table: Table, id: DeploymentId): Promise<StoredSessionLimit | undefined> {
  return (await readLimit(table, id)).stored;
}

function staleness(stored: { readonly version: number } | undefined, change: Change): Stale | undefined {
  const { expectedVersion } = change;
  if (expectedVersion === undefined) return undefined;
  const asExpected = expectedVersion === 'none' ? stored === undefined : stored?.version === expectedVersion;
  return asExpected ? undefined : { kind: 'stale', version: stored?.version };
}

function merged(usernames: readonly Username[]): Username[] {
  return sortUsernames([...new Set(usernames)]);
}

function sameList(a: readonly Username[], b: readonly Username[]): boolean {
  return a.length === b.length && a.every((username, place) => username === b[place]);
}

/** Lists that one change clears away: more than it leaves, so that a tenant's many changes do not pile up for one answer. */
const clearedAtOnce = 4;

/** Far longer than a CONNECT is decided by settings that were read earlier. */
const rememberedMs = 60_000;

/**
 * The lists that a CONNECT may still be decided by: a username that is on the old list and on the new one is not turned
 * away in between. The next change clears the others away.
 */
function retiredBy(item: LimitItem, keepsList: boolean, at: Ms): ReadonlyMap<string, number> {
  const { retired, configured } = item;
  const old = keepsList ? undefined : configured?.whitelistId;
  const young = [...retired].filter(([, since]) => at - since < rememberedMs);
  return new Map<string, number>([...young, ...(old === undefined ? [] : [[old, at] as const])]);
}

export function createLimitWrites(table: Table, log: Pick<Log, 'warn'>) {
  /** What stays behind counts for nothing, and the next change clears it: the answer does not wait for a retry. */
  async function clear(id: DeploymentId, listIds: Iterable<string>): Promise<void> {
    try {
      await clearWhitelists(table, id, new Set(listIds));
    } catch (error) {
      log.warn('whitelist entries left for the next change to clear', { deploymentId: id, error: String(error) });
    }
  }

  /** Writes `next` if nobody wrote since `seen`. */
  async function replace(
    id: DeploymentId,
    seen: Seen,
    next: StoredSessionLimit,
    change: Change,
  ): Promise<'done' | 'raced' | Missing> {
    const keepsList = seen.stored !== undefined && sameList(seen.stored.whitelist, next.whitelist);
    const newId = () => (next.whitelist.length === 0 ? undefined : whitelistIdFor(unique(), next.whitelist));
    const listId = keepsList ? seen.item.configured?.whitelistId : newId();
    if (listId !== undefined && !keepsList) {
      const list = { listId, usernames: next.whitelist, version: seen.item.version };
      if ((await writeWhitelist(table, id, list)) === 'raced') return 'raced';
    }
    const retired = retiredBy(seen.item, keepsList, change.at);
    // Keeps S18 (nothing lost, one audit record a change): of all changes that start from one version, one wins. It also
    // fences off every list registered before it, since their changes start from a version that is gone; so the winner
    // may clear them. Dying right after leaves old entries that count for nothing.
    const outcome = await transact(table, [
      {
        Update: {
          TableName: table.tableName,
          Key: limitKey(id),
          UpdateExpression:
            `SET configured = :true, ${settingNames.map((name) => `#setting_${name} = :setting_${name}`).join(', ')}, ` +
            'whitelistSize = :size, version = :next, generation = :generation, updatedAt = :at, retired = :retired' +
            // A limit that is new has no overrides, and says so: who decides CONNECTs looks for none until the first.
            (seen.item.version === 0 ? ', overrideCount = :zero' : '') +
            (listId === undefined ? ' REMOVE whitelistId' : ', whitelistId = :list'),
          ConditionExpression: seen.item.version === 0 ? 'attribute_not_exists(version)' : 'version = :version',
          ExpressionAttributeNames: settingPlaceholders,
          ExpressionAttributeValues: {
            ':true': true,
            ...Object.fromEntries(settingNames.map((name) => [`:setting_${name}`, next[name]])),
            ':size': next.whitelist.length,
            ':next': next.version,
            ':generation': seen.item.generation,
            ':at': next.updatedAt,
            ':retired': Object.fromEntries(retired),
            ...(listId === undefined ? {} : { ':list': listId }),
            ...(seen.item.version === 0 ? { ':zero': 0 } : { ':version': seen.item.version }),
          },
        },
      },
      {
        ConditionCheck: {
          TableName: table.tableName,
          Key: deploymentKey(id),
          ConditionExpression: 'attribute_exists(pk)',
        },
      },
      {
        Put: {
          TableName: table.tableName,
          Item: buildAuditItem(id, change, unique(), auditLimit(seen.stored, next)),
        },
      },
    ]);
    if (outcome.kind === 'done') {
      await clear(
        id,
        [...seen.item.lists].filter((known) => known !== listId && !retired.has(known)).slice(0, clearedAtOnce),
      );
      return 'done';
    }
    if (listId !== undefined && !keepsList) await clear(id, [listId]);
    return outcome.at.includes(1) ? { kind: 'missing', what: 'deployment' } : 'raced';
  }

  async function putSessionLimit(
    id: DeploymentId,
    limit: SessionLimit & { readonly whitelist: readonly Username[] },
    change: Change,
  ): Promise<WriteOutcome<StoredSessionLimit>> {
    const whitelist = merged(limit.whitelist);
    // Reading, sorting and comparing 10,000 names are milliseconds each; other work of the process has its turn between.
    await turn();
    for (let round = 0; round < maxRounds; round += 1) {
      const seen = await readLimit(table, id);
      const stale = staleness(seen.stored, change);
      if (stale !== undefined) return stale;
      if (
        seen.stored !== undefined &&
        differing(limitSettings, seen.stored, limit).length === 0 &&
        sameList(seen.stored.whitelist, whitelist)
      )
        return { kind: 'done', value: seen.stored, created: false };
      const version = seen.item.version + 1;
      const next = { ...settingsIn(limitSettings, limit), whitelist, version, updatedAt: change.at };
      const outcome = await replace(id, seen, next, change);
      if (outcome === 'done') return { kind: 'done', value: next, created: seen.stored === undefined };
      if (outcome !== 'raced') return outcome;
    }
    throw new StoreUnavailable('other changes of the session limit kept coming first');
  }

  async function deleteSessionLimit(
    id: DeploymentId,
    change: Change,
    clearOverrides: (olderThan: number) => Promise<void>,
  ): Promise<WriteOutcome<undefined>> {
    for (let round = 0; round < maxRounds; round += 1) {
      const { item, stored } = await readLimit(table, id);
      if (stored === undefined) return { kind: 'missing', what: 'session_limit' };
      const stale = staleness(stored, change);
      if (stale !== undefined) return stale;
      // Keeps S1 and S18: settings, whitelist and overrides end in one step, since the pointer goes and the generation
      // that overrides must match moves on; the version stays behind, so that a re-created limit counts on from it.
      // Dying right after leaves items that count for nothing.
      const outcome = await transact(table, [
        {
          Update: {
            TableName: table.tableName,
            Key: limitKey(id),
            UpdateExpression:
              'SET configured = :false, version = :next, generation = :generation, overrideCount = :zero, updatedAt = :at ' +
              `REMOVE ${Object.keys(settingPlaceholders).join(', ')}, whitelistId, whitelistSize, retired`,
            ConditionExpression: 'version = :version',
            ExpressionAttributeNames: settingPlaceholders,
            ExpressionAttributeValues: {
              ':false': false,
              ':version': item.version,
              ':next': item.version + 1,
              ':generation': item.generation + 1,
              ':zero': 0,
              ':at': change.at,
            },
          },
        },
        {
          Put: {
            TableName: table.tableName,
            Item: buildAuditItem(id, change, unique(), auditLimit(stored, undefined)),
          },
        },
      ]);
      if (outcome.kind === 'refused') continue;
      await clear(id, item.lists);
      await clearOverrides(item.generation + 1);
      return { kind: 'done', value: undefined, created: false };
    }
    throw new StoreUnavailable('other changes of the session limit kept coming first');
  }

  return { putSessionLimit, deleteSessionLimit };
}
