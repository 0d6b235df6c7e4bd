// Freeing: always the session first, its place in the roster second, so that what dies in between counts too many.

import type { DeploymentId, Username } from '../domain/ids.ts';
import { freeSession, isLive, postponeDue, type Session, settleSession } from '../domain/session.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionStore, Stored } from '../ports/sessions.ts';

export interface FreePorts {
  readonly store: SessionStore;
  readonly clock: Clock;
}

/**
 * Takes the place of a freed session that owes out of the roster and marks it settled. Answers the record as it stands
 * then, undefined if somebody else wrote meanwhile. Safe to repeat.
 */
export async function settleFreed(
  ports: FreePorts,
  freed: Stored<Session>,
  usedSeen: number,
): Promise<Stored<Session> | undefined> {
  const { deploymentId, username, place } = freed.value;
  await ports.store.removePlace(deploymentId, username, place, usedSeen <= 1);
  const settled = settleSession(freed.value);
  const put = await ports.store.putSession(settled, freed);
  return put.kind === 'done' ? { value: settled, revision: put.revision } : undefined;
}

/**
 * Frees a username's expired sessions, earliest first, at most `limit`, and moves entries of the due index that came
 * too early. Answers how many places it freed.
 */
export async function freeExpired(
  ports: FreePorts,
  deploymentId: DeploymentId,
  username: Username,
  options: { readonly limit: number },
): Promise<number> {
  const { store, clock } = ports;
  const due = await store.listDue(deploymentId, username, clock.now(), options.limit);
  const freed = await Promise.all(
    due.map(async (clientId) => {
      const stored = await store.readSession({ deploymentId, username, clientId });
      return stored === undefined ? 0 : freeIfExpired(ports, stored);
    }),
  );
  return freed.reduce<number>((sum, one) => sum + one, 0);
}

/**
 * Conditional on the record as read: a session that came back in between has another revision and is left alone.
 * The tombstone keeps its index entry until the place is out of the roster.
 */
async function freeIfExpired(ports: FreePorts, stored: Stored<Session>): Promise<0 | 1> {
  const { store, clock } = ports;
  const session = stored.value;
  if (session.holding === 'freed') {
    if (session.owes === true) await settleFreed(ports, stored, 2);
    return session.owes === true ? 1 : 0;
  }
  if (isLive(session, clock.now())) {
    await store.putSession(postponeDue(session), stored);
    return 0;
  }
  const freed = freeSession(session, { owes: true });
  const put = await store.putSession(freed, stored);
  if (put.kind === 'changed') return 0;
  await settleFreed(ports, { value: freed, revision: put.revision }, 2);
  return 1;
}
