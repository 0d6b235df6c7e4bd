// Frees what has expired of one username, many at a time. The order is that of all freeing: tombstones first, then their
// places, together, then the tombstones are settled. What dies in between is found again by the index entries that the
// tombstones keep until then.

import type { ClientId, DeploymentId, Username } from '../../domain/ids.ts';
import { freeSession, postponeDue, settleSession } from '../../domain/session/outcome.ts';
import { isLive, owesPlace, type Session } from '../../domain/session/record.ts';
import type { Removed, Roster } from '../../ports/counter/counter.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';
import { sideBySide } from '../common/side-by-side.ts';
import type { CommitPorts } from './commit.ts';

const sessionsAtOnce = 25;
const maxRounds = 4;

export interface ExpiredPage {
  /** Places freed. */
  readonly freed: number;
  /** More may be due. */
  readonly more: boolean;
}

/**
 * At most `limit` sessions, earliest first; `seen` is what was counted a moment ago. Throws where one of them could not be
 * freed, after freeing the others.
 */
export async function freeDue(
  ports: CommitPorts,
  deploymentId: DeploymentId,
  username: Username,
  { limit, seen }: { readonly limit: number; readonly seen: Roster },
): Promise<ExpiredPage & Pick<Removed, 'gone'>> {
  const { store, clock } = ports;
  const due = await store.listDue(deploymentId, username, clock.now(), limit, seen.wide === true);
  const owing: Stored<Session>[] = [];
  const failures: unknown[] = [];
  let moved = 0;
  let written = 0;
  await sideBySide(due, sessionsAtOnce, async (clientId: ClientId) => {
    try {
      const found = await buryExpired(ports, { deploymentId, username, clientId });
      if (found === 'moved') moved++;
      else if (found === 'written off') written++;
      else if (found !== undefined) owing.push(found);
    } catch (error) {
      failures.push(error);
    }
  });
  const { gone } = await store.removePlaces(
    deploymentId,
    username,
    owing.map(({ value }) => value.place),
    seen.used <= owing.length,
  );
  await sideBySide(owing, sessionsAtOnce, async (freed) => {
    await store.putSession(settleSession(freed.value), freed).catch((error: unknown) => failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
  // The index may lag: a page that changes nothing would come back as it is.
  const freed = owing.length + written;
  return { freed, more: due.length === limit && freed + moved > 0, gone };
}

/**
 * A tombstone that owes its place, written here or found so; one that was folded is written off by the same write.
 * Conditional on the record as read: a session that came back in between has another revision and is left alone.
 */
async function buryExpired(
  { store, clock }: CommitPorts,
  names: Names,
): Promise<Stored<Session> | 'moved' | 'written off' | undefined> {
  let stored = await store.readSession(names);
  for (let round = 0; stored !== undefined && round < maxRounds; round++) {
    const session = stored.value;
    if (session.phase.kind === 'ended') return owesPlace(session) ? stored : undefined;
    const live = isLive(session, clock.now());
    const next = live ? postponeDue(session) : freeSession(session, { owes: true });
    const put = await store.putSession(next, stored);
    if (put.kind === 'changed') stored = put.current;
    else if (live) return 'moved';
    else return put.uncounted === true ? 'written off' : put;
  }
  return undefined;
}
