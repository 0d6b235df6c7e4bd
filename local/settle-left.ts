// What the last run left in the table: its sessions and counts, by username. A start reads them once. It must not judge them.

import { ScanCommand } from '../shared/adapters/dynamodb/common/commands.ts';
import { parseRosterKey } from '../shared/adapters/dynamodb/counter/roster-item.ts';
import { decodeSession } from '../shared/adapters/dynamodb/presence/session-item.ts';
import type { Table } from '../shared/adapters/dynamodb/settings/settings-by-username.ts';
import { rankedUsed } from '../shared/adapters/dynamodb/usage/usage-item.ts';
import type { DeploymentId, Username } from '../shared/domain/ids.ts';
import type { Session } from '../shared/domain/session/record.ts';
import type { Stored } from '../shared/ports/presence/sessions.ts';
import type { Item } from './settle-counts.ts';

export interface Left {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly sessions: Stored<Session>[];
  roster: Item | undefined;
  /** What its rank says that it uses. */
  ranked: number;
}

/** All that the table holds of sessions and counts, by username. */
export async function readLeft(
  { client, tableName }: Table,
  say: (sentence: string) => void,
): Promise<readonly Left[]> {
  const all = new Map<string, Left>();
  const leftOf = (deploymentId: DeploymentId, username: Username): Left => {
    const key = JSON.stringify([deploymentId, username]);
    const known = all.get(key) ?? { deploymentId, username, sessions: [], roster: undefined, ranked: 0 };
    all.set(key, known);
    return known;
  };
  const asked = {
    TableName: tableName,
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :sessions) OR begins_with(pk, :rosters) OR begins_with(pk, :usage)',
    ExpressionAttributeValues: { ':sessions': 'S|', ':rosters': 'N|', ':usage': 'R|' },
  };
  let sessions = 0;
  let behind: Item | undefined;
  do {
    const page = await client.send(new ScanCommand({ ...asked, ...(behind && { ExclusiveStartKey: behind }) }));
    behind = page.LastEvaluatedKey;
    for (const item of page.Items ?? []) {
      const pk = String(item.pk);
      if (pk.startsWith('S|')) {
        const stored = decodeSession(item);
        leftOf(stored.value.deploymentId, stored.value.username).sessions.push(stored);
        sessions++;
        continue;
      }
      const { deploymentId, username } = parseRosterKey(pk, String(item.sk));
      const left = leftOf(deploymentId, username);
      if (pk.startsWith('N|')) left.roster = item;
      else left.ranked = rankedUsed(item);
    }
    say(`reads what the last run left: ${sessions} sessions`);
  } while (behind !== undefined);
  return [...all.values()];
}
