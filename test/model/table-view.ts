// The whole table as it stands, read behind everybody's back after every write.

import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { decodeRoster, parseRosterKey } from '../../shared/adapters/dynamodb/roster.ts';
import { decodeSession, type Item } from '../../shared/adapters/dynamodb/session-item.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session.ts';
import type { Roster } from '../../shared/ports/sessions.ts';

export interface CountedUsername {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly roster: Roster;
}

export interface TableView {
  readonly items: ReadonlyMap<string, Item>;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly rosters: ReadonlyMap<string, CountedUsername>;
}

export const emptyView: TableView = { items: new Map(), sessions: new Map(), rosters: new Map() };

export function userKey(deploymentId: DeploymentId, username: Username): string {
  return `${deploymentId}/${username}`;
}

export function sessionOf(
  view: TableView,
  deploymentId: DeploymentId,
  username: Username,
  clientId: ClientId,
): Session | undefined {
  return view.sessions.get(`${userKey(deploymentId, username)}/${clientId}`);
}

export function sessionsOf(view: TableView, deploymentId: DeploymentId, username: Username): Session[] {
  return [...view.sessions.values()].filter((one) => one.deploymentId === deploymentId && one.username === username);
}

export function rosterOf(view: TableView, deploymentId: DeploymentId, username: Username): Roster {
  return view.rosters.get(userKey(deploymentId, username))?.roster ?? { used: 0, places: new Set() };
}

export function isCounted(view: TableView, session: Session): boolean {
  return rosterOf(view, session.deploymentId, session.username).places.has(session.place);
}

export function itemKey(item: Item): string {
  return `${String(item.pk)}\n${String(item.sk)}`;
}

/** A table of one run is small: a page holds it. */
export async function readTable(client: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): Promise<TableView> {
  const answer = await client.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  if (answer.LastEvaluatedKey !== undefined) throw new Error('the table of a run has outgrown one page');
  // In one order, whatever the engine's: what a schedule picks from must not hang on it.
  return viewOf([...(answer.Items ?? [])].sort((a, b) => (itemKey(a) < itemKey(b) ? -1 : 1)));
}

export function viewOf(all: readonly Item[]): TableView {
  const items = new Map<string, Item>();
  const sessions = new Map<string, Session>();
  const rosters = new Map<string, CountedUsername>();
  for (const item of all) {
    const pk = String(item.pk);
    items.set(itemKey(item), item);
    if (pk.startsWith('S|')) {
      const { value } = decodeSession(item);
      sessions.set(`${userKey(value.deploymentId, value.username)}/${value.clientId}`, value);
    } else if (pk.startsWith('N|')) {
      const names = parseRosterKey(pk, String(item.sk));
      rosters.set(userKey(names.deploymentId, names.username), { ...names, roster: decodeRoster(item) });
    }
  }
  return { items, sessions, rosters };
}
