// Sessions, client id owners and rosters in DynamoDB: one request a method. Why the writes are these, and in which
// order the use cases send them: docs/adr/0001-write-pattern-of-admission.md.

import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { tableDefinition } from '../../config/table.ts';
import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import type { Session } from '../../domain/session.ts';
import { type Ms, ms, toEpochSeconds } from '../../domain/time.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { ConnectView, Names, Owner, PutOutcome, SessionStore, Stored, Wake } from '../../ports/sessions.ts';
import { answering } from './client.ts';
import { Refused, refusable } from './conditions.ts';
import { allWakePartitions, type Key, ownerKey, perUsernameKey, sessionKey, sessionsPk, whitelistKey } from './keys.ts';
import { createRosterWrites, decodeRoster, parseRosterKey } from './roster.ts';
import { decodeSession, encodeSession, type Item, parseSessionKey } from './session-item.ts';
import { parseOverrideItem } from './settings-item.ts';

const [wakeIndex, dueIndex] = tableDefinition.indexes;

export function createSessionStore(client: DynamoDBDocumentClient, tableName: string, random: Random): SessionStore {
  const get = async (key: Key): Promise<Item | undefined> =>
    (await answering(() => client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true })))).Item;

  /**
   * Replaces an item only if nobody wrote since it was read. Keeps I5: whatever a late event or a second process
   * decided on an older record is refused and decided again. A try that the SDK repeats after a time-out meets its own
   * revision and is done.
   */
  async function replace<T>(
    key: Key,
    item: Item,
    revision: string,
    expected: Stored<T> | undefined,
    decode: (item: Item) => Stored<T>,
  ): Promise<PutOutcome<T>> {
    const command = new PutCommand({
      TableName: tableName,
      Item: { ...item, ...key, rev: revision },
      ...(expected === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': expected.revision } }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const answer = await refusable(() => client.send(command));
    if (!(answer instanceof Refused) || answer.item?.rev === revision) return { kind: 'done', revision };
    return { kind: 'changed', current: answer.item === undefined ? undefined : decode(answer.item) };
  }

  async function readForConnect(
    names: Names,
    settings: { readonly whitelistId: string | undefined; readonly generation: number },
  ): Promise<ConnectView> {
    const { deploymentId, username, clientId } = names;
    const keys = {
      session: sessionKey(deploymentId, username, clientId),
      owner: ownerKey(deploymentId, clientId),
      override: perUsernameKey('O', deploymentId, username),
      whitelist:
        settings.whitelistId === undefined ? undefined : whitelistKey(deploymentId, settings.whitelistId, username),
    };
    const wanted = Object.values(keys).filter((key) => key !== undefined);
    const batch = new BatchGetCommand({ RequestItems: { [tableName]: { Keys: wanted } } });
    const [answer, roster] = await Promise.all([
      answering(() => client.send(batch)),
      get(perUsernameKey('N', deploymentId, username)),
    ]);
    if ((answer.UnprocessedKeys?.[tableName]?.Keys?.length ?? 0) > 0) throw new StoreUnavailable('keys left unread');
    const items = answer.Responses?.[tableName] ?? [];
    const find = (key: Key | undefined): Item | undefined =>
      items.find((item) => item.pk === key?.pk && item.sk === key?.sk);
    const session = find(keys.session);
    const owner = find(keys.owner);
    return {
      session: session === undefined ? undefined : decodeSession(session),
      owner: owner === undefined ? undefined : decodeOwner(owner),
      roster: decodeRoster(roster),
      whitelisted: find(keys.whitelist) !== undefined,
      override: parseOverrideItem(find(keys.override), settings.generation),
    };
  }

  async function listDue(
    deploymentId: DeploymentId,
    username: Username,
    until: Ms | undefined,
    limit: number,
  ): Promise<readonly Item[]> {
    const answer = await answering(() =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: dueIndex.name,
          KeyConditionExpression: until === undefined ? 'duePk = :pk' : 'duePk = :pk AND dueAt <= :until',
          ExpressionAttributeValues: {
            ':pk': sessionsPk(deploymentId, username),
            ...(until === undefined ? {} : { ':until': until }),
          },
          Limit: limit,
        }),
      ),
    );
    return answer.Items ?? [];
  }

  return {
    readForConnect,
    async readSession({ deploymentId, username, clientId }) {
      const item = await get(sessionKey(deploymentId, username, clientId));
      return item === undefined ? undefined : decodeSession(item);
    },
    async readOwner(deploymentId, clientId) {
      const item = await get(ownerKey(deploymentId, clientId));
      return item === undefined ? undefined : decodeOwner(item);
    },
    async readRoster(deploymentId, username) {
      return decodeRoster(await get(perUsernameKey('N', deploymentId, username)));
    },
    putSession(session: Session, expected) {
      const revision = random.revision();
      const key = sessionKey(session.deploymentId, session.username, session.clientId);
      return replace(key, encodeSession(session, revision), revision, expected, decodeSession);
    },
    async removeSession({ deploymentId, username, clientId }, expected) {
      const command = new DeleteCommand({
        TableName: tableName,
        Key: sessionKey(deploymentId, username, clientId),
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': expected.revision },
      });
      return (await refusable(() => client.send(command))) instanceof Refused ? 'changed' : 'done';
    },
    putOwner(deploymentId: DeploymentId, clientId: ClientId, owner: Owner, expected) {
      const revision = random.revision();
      return replace(
        ownerKey(deploymentId, clientId),
        { username: owner.username, ttl: toEpochSeconds(owner.keptUntil) },
        revision,
        expected,
        decodeOwner,
      );
    },
    ...createRosterWrites(client, tableName),
    async listDue(deploymentId, username, until, limit) {
      return (await listDue(deploymentId, username, until, limit)).map((item) => String(item.sk) as ClientId);
    },
    async nextDue(deploymentId, username) {
      const [first] = await listDue(deploymentId, username, undefined, 1);
      return first === undefined ? undefined : ms(Number(first.dueAt));
    },
    async listSessions(deploymentId, username, page) {
      const answer = await answering(() =>
        client.send(
          new QueryCommand({
            TableName: tableName,
            ConsistentRead: true,
            KeyConditionExpression: page.after === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
            ExpressionAttributeValues: {
              ':pk': sessionsPk(deploymentId, username),
              ...(page.after === undefined ? {} : { ':after': page.after }),
            },
            Limit: page.limit,
          }),
        ),
      );
      return { items: (answer.Items ?? []).map(decodeSession), more: answer.LastEvaluatedKey !== undefined };
    },
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
