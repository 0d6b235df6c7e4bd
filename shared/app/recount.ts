// Makes a username's roster agree with its sessions (I2), beside live traffic. It reads the roster first and the
// sessions after it, both consistently: a session is written before its place, so a place whose session is not there
// belongs to nothing. Places are taken out one by one and only if they are still there; nothing else is touched.

import type { ClientId, DeploymentId, Place, Username } from '../domain/ids.ts';
import type { SessionStore } from '../ports/sessions.ts';

export interface Recounted {
  /** Places that belonged to no session, taken out. */
  readonly removed: number;
  /** Confirmed sessions that were not counted, counted now, over the limit if need be. */
  readonly added: number;
}

const pageSize = 100;

export async function recount(store: SessionStore, deploymentId: DeploymentId, username: Username): Promise<Recounted> {
  const roster = await store.readRoster(deploymentId, username);
  const orphans = new Set<Place>(roster.places);
  let added = 0;
  let after: ClientId | undefined;
  do {
    const page = await store.listSessions(deploymentId, username, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value: session } of page.items) {
      if (session.holding === 'freed') continue;
      if (orphans.delete(session.place) || session.holding === 'new') continue;
      const outcome = await store.addPlace(
        deploymentId,
        username,
        session.place,
        Number.POSITIVE_INFINITY,
        session.dueAt,
      );
      if (outcome.kind === 'added') added++;
    }
    after = page.more ? page.items.at(-1)?.value.clientId : undefined;
  } while (after !== undefined);
  let removed = 0;
  for (const place of orphans) {
    if ((await store.removePlace(deploymentId, username, place, false)) === 'removed') removed++;
  }
  return { removed, added };
}
