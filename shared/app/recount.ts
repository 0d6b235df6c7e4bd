// Makes a username's roster agree with its sessions (I2), beside live traffic. It reads the roster first and the
// sessions after it, both consistently: a session is written before its place, so a place whose session is not there
// belongs to nothing. Places are taken out one by one and only if they are still there; nothing else is touched.

import type { ClientId, DeploymentId, Place, Username } from '../domain/ids.ts';
import type { Ms } from '../domain/time.ts';
import type { SessionStore } from '../ports/sessions.ts';
import { countAgain } from './free.ts';

export interface Recounted {
  /** Places that belonged to no session, taken out. */
  readonly removed: number;
  /** Confirmed sessions that were not counted, counted now, over the limit if need be. */
  readonly added: number;
  /** When the first of its sessions is due; undefined if it has none. */
  readonly firstDue: Ms | undefined;
}

const pageSize = 100;

export async function recount(store: SessionStore, deploymentId: DeploymentId, username: Username): Promise<Recounted> {
  const roster = await store.readRoster(deploymentId, username);
  const orphans = new Set<Place>(roster.places);
  let added = 0;
  let firstDue: Ms | undefined;
  let after: ClientId | undefined;
  do {
    const page = await store.listSessions(deploymentId, username, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value: session } of page.items) {
      if (session.holding === 'freed') continue;
      if (firstDue === undefined || session.dueAt < firstDue) firstDue = session.dueAt;
      if (orphans.delete(session.place) || session.holding === 'new') continue;
      if ((await countAgain(store, session)) === 'counted') added++;
    }
    after = page.more ? page.items.at(-1)?.value.clientId : undefined;
  } while (after !== undefined);
  let removed = 0;
  for (const place of orphans) {
    if ((await store.removePlace(deploymentId, username, place, false)) === 'removed') removed++;
  }
  return { removed, added, firstDue };
}
