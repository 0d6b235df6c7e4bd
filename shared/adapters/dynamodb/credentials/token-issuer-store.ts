// Token issuers in DynamoDB: one item a deployment beside its other settings, and an entry in one list of those whose
// keys are fetched.

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DeploymentId } from '../../../domain/ids.ts';
import { StoreUnavailable } from '../../../ports/common/errors.ts';
import type { StoredTokenIssuer, TokenIssuerStore } from '../../../ports/credentials/token-issuer.ts';
import type { Change, Stale } from '../../../ports/settings/settings.ts';
import { answering } from '../common/answering.ts';
import { type DocumentClient, GetCommand, QueryCommand, UpdateCommand } from '../common/commands.ts';
import { Refused, refusable } from '../common/conditions.ts';
import { deploymentKey, fetchedKeysKey, fetchedKeysPk, tokenIssuerKey } from '../common/keys.ts';
import { transact, type Writes } from '../common/transaction.ts';
import { buildAuditItem } from '../settings/settings-audit.ts';
import type { Table } from '../settings/settings-by-username.ts';
import { storedDeploymentId } from '../settings/settings-item.ts';
import { parseTokenIssuerItem, versionOfIssuerItem } from './token-issuer-item.ts';

const maxRounds = 8;

interface Seen {
  readonly version: number;
  readonly stored: StoredTokenIssuer | undefined;
}

function staleness({ stored }: Seen, { expectedVersion }: Change): Stale | undefined {
  if (expectedVersion === undefined) return undefined;
  const asExpected = expectedVersion === 'none' ? stored === undefined : stored?.version === expectedVersion;
  return asExpected ? undefined : { kind: 'stale', version: stored?.version };
}

/** One side of an audit record. Keys by their names: they are public, but long. */
function audited(stored: StoredTokenIssuer | undefined): unknown {
  if (stored === undefined) return null;
  const { issuer, audience, audienceClaim, usernameClaim, jwksUrl, keys, version } = stored;
  const names = keys.map((key) => key.kid ?? key.kty);
  return { issuer, audience, audienceClaim, usernameClaim, jwksUrl, keys: names, version };
}

/** Fetching keys again changes no version, so `keysReadAt` tells whether the keys are those that were read. */
function asStored({ version, stored }: Seen) {
  const readAt = stored?.keysReadAt;
  return {
    ConditionExpression: readAt === undefined ? 'version = :version' : 'version = :version AND keysReadAt = :readAt',
    ExpressionAttributeValues: { ':version': version, ...(readAt === undefined ? {} : { ':readAt': readAt }) },
  };
}

export function createTokenIssuerStore(client: DocumentClient, tableName: string): TokenIssuerStore {
  const table: Table = { client, tableName };
  const TableName = tableName;

  async function read(id: DeploymentId): Promise<Seen> {
    const command = new GetCommand({ TableName, Key: tokenIssuerKey(id), ConsistentRead: true });
    const { Item: item } = await answering(() => client.send(command));
    return { version: versionOfIssuerItem(item), stored: parseTokenIssuerItem(item) };
  }

  /**
   * Invariant: of all changes that start from one version one wins, with its audit record and its place in the list of
   * those that are fetched (S18). Its caller knows each key that it drops (S21).
   * Race: refused where another change, or fetched keys, came first.
   * On crash: all of it is written, or nothing.
   */
  async function write(
    id: DeploymentId,
    seen: Seen,
    next: StoredTokenIssuer | undefined,
    change: Change,
  ): Promise<'done' | 'raced' | 'no deployment'> {
    const asRead = seen.version === 0 ? { ConditionExpression: 'attribute_not_exists(version)' } : asStored(seen);
    const item = next === undefined ? { version: seen.version + 1 } : { ...next, configured: true };
    const writes: Writes = [
      { Put: { TableName, Item: { ...item, ...tokenIssuerKey(id) }, ...asRead } },
      {
        ConditionCheck: {
          TableName,
          Key: deploymentKey(id),
          // Of one that is being deleted, nothing new must be left behind.
          ConditionExpression: 'attribute_exists(pk) AND #status <> :deleting',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':deleting': 'deleting' },
        },
      },
      next?.jwksUrl === undefined
        ? { Delete: { TableName, Key: fetchedKeysKey(id) } }
        : { Put: { TableName, Item: fetchedKeysKey(id) } },
      {
        Put: {
          TableName,
          Item: buildAuditItem(id, change, randomBytes(9).toString('base64url'), {
            action: next === undefined ? 'token_issuer.deleted' : 'token_issuer.set',
            before: audited(seen.stored),
            after: audited(next),
          }),
        },
      },
    ];
    const outcome = await transact(table, writes);
    if (outcome.kind === 'done') return 'done';
    return outcome.at.includes(1) ? 'no deployment' : 'raced';
  }

  return {
    getTokenIssuer: async (id) => (await read(id)).stored,

    async putTokenIssuer(id, issuer, change) {
      for (let round = 0; round < maxRounds; round += 1) {
        const seen = await read(id);
        const stale = staleness(seen, change);
        if (stale !== undefined) return stale;
        const { version: _v, updatedAt: _u, keysReadAt: _k, ...same } = seen.stored ?? {};
        if (seen.stored !== undefined && isDeepStrictEqual(same, { ...issuer }))
          return { kind: 'done', value: seen.stored, created: false, before: seen.stored };
        const next = { ...issuer, version: seen.version + 1, updatedAt: change.at, keysReadAt: change.at };
        const outcome = await write(id, seen, next, change);
        if (outcome === 'no deployment') return { kind: 'missing', what: 'deployment' };
        if (outcome === 'done')
          return { kind: 'done', value: next, created: seen.stored === undefined, before: seen.stored };
      }
      throw new StoreUnavailable('other changes of the token issuer kept coming first');
    },

    async deleteTokenIssuer(id, change) {
      for (let round = 0; round < maxRounds; round += 1) {
        const seen = await read(id);
        if (seen.stored === undefined) return { kind: 'missing', what: 'token_issuer' };
        const stale = staleness(seen, change);
        if (stale !== undefined) return stale;
        const outcome = await write(id, seen, undefined, change);
        if (outcome === 'no deployment') return { kind: 'missing', what: 'deployment' };
        if (outcome === 'done') return { kind: 'done' };
      }
      throw new StoreUnavailable('other changes of the token issuer kept coming first');
    },

    async listFetched({ limit, after }) {
      const command = new QueryCommand({
        TableName,
        KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: { ':pk': fetchedKeysPk, ...(after === undefined ? {} : { ':after': after }) },
        Limit: limit,
      });
      return ((await answering(() => client.send(command))).Items ?? []).map(storedDeploymentId);
    },

    /**
     * Invariant: keys of one issuer never verify another's tokens, and the caller knows each key that is dropped (S21).
     * Race: refused where the issuer was changed or fetched again since it was read.
     * On crash: the keys stay, and the next run fetches them.
     */
    async replaceKeys(id, { version, keysReadAt }, { keys, at }) {
      const command = new UpdateCommand({
        TableName,
        Key: tokenIssuerKey(id),
        UpdateExpression: 'SET #keys = :keys, keysReadAt = :at',
        ConditionExpression: 'version = :version AND keysReadAt = :seen AND configured = :true',
        ExpressionAttributeNames: { '#keys': 'keys' },
        ExpressionAttributeValues: {
          ':keys': [...keys],
          ':at': at,
          ':version': version,
          ':seen': keysReadAt,
          ':true': true,
        },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const answer = await refusable(() => client.send(command));
      if (!(answer instanceof Refused)) return 'done';
      // A try that the SDK repeats after a time-out meets its own time.
      const { version: stored, configured, keysReadAt: readAt } = answer.item ?? {};
      return stored === version && configured === true && readAt === at ? 'done' : 'changed';
    },
  };
}
