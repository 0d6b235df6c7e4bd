// Overrides: one item per username, void unless it carries the generation of the limit item. The limit item counts them
// and their changes in the same transaction, so its bound is exact and their versions grow across delete and re-create.

import { randomBytes } from 'node:crypto';
import { usernamesPerListMax } from '../../../config/constants.ts';
import type { DeploymentId, Username } from '../../../domain/ids.ts';
import type { Override } from '../../../domain/limit.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { Log } from '../../../ports/common/log.ts';
import type { Change, Missing, Stale, StoredOverride, WriteOutcome } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { DeleteCommand, TransactGetCommand } from '../common/commands.ts';
import { refusable } from '../common/conditions.ts';
import { limitKey, perUsernameKey } from '../common/keys.ts';
import { transact, type Writes } from '../common/transaction.ts';
import { ownLimitOf } from '../usage/usage-item.ts';
import { auditOverride, buildAuditItem } from './settings-audit.ts';
import { forEachItem, readPage, type Table } from './settings-by-username.ts';
import { type LimitItem, parseLimitItem, parseStoredOverride, storedUsername } from './settings-item.ts';
import { readLimitItem } from './settings-limit.ts';

const maxRounds = 8;

interface Seen {
  readonly limit: LimitItem;
  readonly stored: StoredOverride | undefined;
}

async function read(table: Table, id: DeploymentId, username: Username): Promise<Seen> {
  const { tableName: TableName } = table;
  // One snapshot: the version of a new override must lie above that of every one this username had before.
  const command = new TransactGetCommand({
    TransactItems: [
      { Get: { TableName, Key: limitKey(id) } },
      { Get: { TableName, Key: perUsernameKey('O', id, username) } },
    ],
  });
  const answer = await answering(() => table.client.send(command));
  const limit = parseLimitItem(answer.Responses?.[0]?.Item);
  return { limit, stored: parseStoredOverride(answer.Responses?.[1]?.Item, limit.generation) };
}

function staleness(stored: StoredOverride | undefined, change: Change): Stale | undefined {
  const { expectedVersion } = change;
  if (expectedVersion === undefined) return undefined;
  const asExpected = expectedVersion === 'none' ? stored === undefined : stored?.version === expectedVersion;
  return asExpected ? undefined : { kind: 'stale', version: stored?.version };
}

function same(a: Override | undefined, b: Override): boolean {
  return a?.kind === b.kind && (a.kind !== 'number' || b.kind !== 'number' || a.max === b.max);
}

export async function getOverride(
  table: Table,
  id: DeploymentId,
  username: Username,
): Promise<{ readonly kind: 'found'; readonly value: StoredOverride } | Missing> {
  const { limit, stored } = await read(table, id, username);
  if (limit.configured === undefined) return { kind: 'missing', what: 'session_limit' };
  return stored === undefined ? { kind: 'missing', what: 'override' } : { kind: 'found', value: stored };
}

export async function listOverrides(
  table: Table,
  id: DeploymentId,
  page: { readonly limit: number; readonly after?: Username },
): Promise<readonly StoredOverride[] | undefined> {
  const { configured, generation } = await readLimitItem(table, id);
  if (configured === undefined) return undefined;
  return readPage(table, 'O', id, page, (item) => parseStoredOverride(item, generation));
}

/** For readings of usage: in the same step, so that none shows a limit that never was. */
function copyToUsage(
  TableName: string,
  id: DeploymentId,
  username: Username,
  override: Override | undefined,
  generation: number,
): Writes[number] {
  const { own, ownOf } = override === undefined ? {} : ownLimitOf(override, generation);
  return {
    Update: {
      TableName,
      Key: perUsernameKey('R', id, username),
      ...(own === undefined
        ? { UpdateExpression: 'REMOVE own, ownOf' }
        : {
            UpdateExpression: 'SET own = :own, ownOf = :of',
            ExpressionAttributeValues: { ':own': own, ':of': ownOf },
          }),
    },
  };
}

export function createOverrideWrites(table: Table, log: Pick<Log, 'warn'>) {
  /**
   * Invariant: an override lives only beside the limit it was made for (S1). Its version lies above that of every
   * override that this username had before (S18). There are no more than the bound allows.
   * Race: the limit item must still be configured in the generation that was read, and the override must be as it was
   * read. A delete of the limit comes wholly before this write, which is then refused, or wholly after, and voids it.
   * A new override also needs that no override was removed since the reading: one may have come, with the same version,
   * and gone.
   * On crash: all of the transaction is written, or nothing.
   */
  async function write(
    id: DeploymentId,
    seen: Seen,
    username: Username,
    override: Override | undefined,
    change: Change,
  ): Promise<'done' | 'raced'> {
    const { limit, stored } = seen;
    const { tableName: TableName } = table;
    const more = (override === undefined ? 0 : 1) - (stored === undefined ? 0 : 1);
    const noneRemoved =
      limit.overridesRemoved === 0 ? 'attribute_not_exists(overridesRemoved)' : 'overridesRemoved = :removed';
    const Key = perUsernameKey('O', id, username);
    const asRead = {
      ConditionExpression:
        stored === undefined
          ? 'attribute_not_exists(pk) OR generation <> :generation'
          : 'generation = :generation AND version = :version',
      ExpressionAttributeValues: {
        ':generation': limit.generation,
        ...(stored === undefined ? {} : { ':version': stored.version }),
      },
    };
    const writes: Writes = [
      {
        Update: {
          TableName,
          Key: limitKey(id),
          UpdateExpression: `ADD overrideVersion :one, overrideCount :more${more < 0 ? ', overridesRemoved :one' : ''}`,
          ConditionExpression:
            'configured = :true AND generation = :generation' +
            (more > 0 ? ' AND (attribute_not_exists(overrideCount) OR overrideCount < :most)' : '') +
            (more > 0 ? ` AND ${noneRemoved}` : ''),
          ExpressionAttributeValues: {
            ':true': true,
            ':generation': limit.generation,
            ':one': 1,
            ':more': more,
            ...(more > 0 ? { ':most': usernamesPerListMax } : {}),
            ...(more > 0 && limit.overridesRemoved > 0 ? { ':removed': limit.overridesRemoved } : {}),
          },
        },
      },
      override === undefined
        ? { Delete: { TableName, Key, ...asRead } }
        : {
            Put: {
              TableName,
              Item: {
                ...Key,
                limit: override.kind === 'number' ? override.max : override.kind,
                generation: limit.generation,
                version: limit.overrideVersion + 1,
              },
              ...asRead,
            },
          },
      copyToUsage(TableName, id, username, override, limit.generation),
      {
        Put: {
          TableName,
          Item: buildAuditItem(
            id,
            change,
            randomBytes(9).toString('base64url'),
            auditOverride(username, stored?.override, override),
          ),
        },
      },
    ];
    return (await transact(table, writes)).kind === 'done' ? 'done' : 'raced';
  }

  async function putOverride(
    id: DeploymentId,
    username: Username,
    override: Override,
    change: Change,
  ): Promise<WriteOutcome<StoredOverride> | { readonly kind: 'full' }> {
    for (let round = 0; round < maxRounds; round += 1) {
      const seen = await read(table, id, username);
      if (seen.limit.configured === undefined) return { kind: 'missing', what: 'session_limit' };
      const stale = staleness(seen.stored, change);
      if (stale !== undefined) return stale;
      if (seen.stored !== undefined && same(seen.stored.override, override))
        return { kind: 'done', value: seen.stored, created: false };
      if (seen.stored === undefined && seen.limit.overrideCount >= usernamesPerListMax) return { kind: 'full' };
      if ((await write(id, seen, username, override, change)) === 'done') {
        const value = { username, override, version: seen.limit.overrideVersion + 1 };
        return { kind: 'done', value, created: seen.stored === undefined };
      }
    }
    throw new StoreUnavailable('other changes of the override kept coming first');
  }

  async function deleteOverride(
    id: DeploymentId,
    username: Username,
    change: Change,
  ): Promise<WriteOutcome<undefined>> {
    for (let round = 0; round < maxRounds; round += 1) {
      const seen = await read(table, id, username);
      if (seen.limit.configured === undefined) return { kind: 'missing', what: 'session_limit' };
      if (seen.stored === undefined) return { kind: 'missing', what: 'override' };
      const stale = staleness(seen.stored, change);
      if (stale !== undefined) return stale;
      if ((await write(id, seen, username, undefined, change)) === 'done')
        return { kind: 'done', value: undefined, created: false };
    }
    throw new StoreUnavailable('other changes of the override kept coming first');
  }

  /** Overrides of a deleted limit count for nothing already; this only makes room. One made since then stays. */
  async function clearOverrides(id: DeploymentId, olderThan: number): Promise<void> {
    try {
      await forEachItem(table, 'O', id, async (item) => {
        const { generation } = item;
        if (typeof generation !== 'number' || generation >= olderThan) return;
        const command = new DeleteCommand({
          TableName: table.tableName,
          Key: perUsernameKey('O', id, storedUsername(item)),
          ConditionExpression: 'generation = :generation',
          ExpressionAttributeValues: { ':generation': generation },
        });
        await refusable(() => table.client.send(command));
      });
    } catch (error) {
      log.warn('void overrides left for the next delete to clear', { deploymentId: id, error: String(error) });
    }
  }

  return { putOverride, deleteOverride, clearOverrides };
}
