// The whole table as it stands, read behind everybody's back after every write.

import { type DocumentClient, ScanCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { placesOf } from '../../shared/adapters/dynamodb/counter/place-set.ts';
import { decodeRoster, parseRosterKey } from '../../shared/adapters/dynamodb/counter/roster-item.ts';
import { decodeSession, type Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import type { ClientId, DeploymentId, Place, Username } from '../../shared/domain/ids.ts';
import { isFolded, unfolded } from '../../shared/domain/place.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import type { Roster } from '../../shared/ports/counter/counter.ts';

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

/** A table of one run is small: a page holds it. */
export async function readTable(client: Pick<DocumentClient, 'send'>, tableName: string): Promise<TableView> {
  const answer = await client.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  if (answer.LastEvaluatedKey !== undefined) throw new Error('the table of a run has outgrown one page');
  return viewOf(answer.Items ?? []);
}

/** What the lanes of a username hold. */
interface Lanes {
  reserved: number;
  readonly places: Place[];
}

/** What one item says, and the key that it has in a view. */
interface Read {
  readonly item: Item;
  readonly key: string;
  readonly session?: readonly [key: string, value: Session];
  readonly counted?: readonly [user: string, value: CountedUsername];
  readonly lane?: readonly [user: string, reserved: number, places: readonly Place[]];
}

/**
 * Each item is read once: the engine in memory never changes an item, it puts another in its place, and of the thousands
 * of steps of a run each leaves most items as they are. A real engine gives new ones with every reading.
 */
const known = new WeakMap<Item, Read>();

function readOnce(item: Item): Read {
  const before = known.get(item);
  if (before !== undefined) return before;
  const read = readItem(item);
  known.set(item, read);
  return read;
}

function readItem(item: Item): Read {
  const [pk, sk] = [String(item.pk), String(item.sk)];
  const key = `${pk}\n${sk}`;
  if (pk.startsWith('S|')) {
    const { value } = decodeSession(item);
    return { item, key, session: [`${userKey(value.deploymentId, value.username)}/${value.clientId}`, value] };
  }
  if (pk.startsWith('N|')) {
    const names = parseRosterKey(pk, sk);
    const value = { ...names, roster: decodeRoster(item, Number.POSITIVE_INFINITY) };
    return { item, key, counted: [userKey(value.deploymentId, value.username), value] };
  }
  if (pk.startsWith('L|')) {
    const [, deploymentId = '', , username = ''] = pk.split('|');
    const user = userKey(deploymentId as DeploymentId, username as Username);
    return { item, key, lane: [user, Number(item.room), [...placesOf(item.places)]] };
  }
  return { item, key };
}

export function viewOf(all: readonly Item[]): TableView {
  const items = new Map<string, Item>();
  const sessions = new Map<string, Session>();
  const rosters = new Map<string, CountedUsername>();
  const lanes = new Map<string, Lanes>();
  // In one order, whatever the engine's: what a schedule picks from must not hang on it.
  for (const { item, key, session, counted, lane } of all.map(readOnce).sort((a, b) => (a.key < b.key ? -1 : 1))) {
    items.set(key, item);
    if (session !== undefined) sessions.set(...session);
    if (counted !== undefined) rosters.set(...counted);
    if (lane === undefined) continue;
    const [user, reserved, places] = lane;
    const whole = lanes.get(user) ?? { reserved: 0, places: [] };
    whole.reserved += reserved;
    whole.places.push(...places);
    lanes.set(user, whole);
  }
  for (const [key, counted] of rosters) {
    if (counted.roster.wide === true)
      rosters.set(key, { ...counted, roster: wholeRoster(counted, lanes.get(key), sessions) });
  }
  return { items, sessions, rosters };
}

/** A wide roster as if it were one set: the places in it and in its lanes, and those of folded sessions. */
function wholeRoster(
  { deploymentId, username, roster }: CountedUsername,
  lanes: Lanes = { reserved: 0, places: [] },
  sessions: ReadonlyMap<string, Session>,
): Roster {
  const places = new Set([...roster.places, ...lanes.places]);
  for (const session of sessions.values()) {
    if (session.deploymentId === deploymentId && session.username === username && isFolded(session.place)) {
      places.delete(unfolded(session.place));
      places.add(session.place);
    }
  }
  return { ...roster, used: roster.used - lanes.reserved, places };
}
