// A takeover: a client id goes from one username to another (S9). It ends the old session at the broker and frees it. The
// newcomer is admitted afterwards like any other. The two sessions never count at once, and the newcomer inherits neither
// subscriptions nor a queue. It must not know why the newcomer wants the id, nor whether there is room.

import { type ClientId, type DeploymentId, toBrokerClientId } from '../../domain/ids.ts';
import { decideAfterKick, type Kick } from '../../domain/kick.ts';
import { extendLease } from '../../domain/session/attempt.ts';
import { isOnItsWay } from '../../domain/session/bounds.ts';
import { isLive, leftNothing, type Session } from '../../domain/session/record.ts';
import type { Broker } from '../../ports/presence/broker.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import { type CommitPorts, commit, uncountOver } from '../counter/commit.ts';

export interface TakeOverPorts extends CommitPorts {
  readonly broker: Pick<Broker, 'deleteConnection'>;
}

const maxRounds = 4;

/**
 * Ends `old`, the record of the username that held the client id last. It may be a tombstone: only the broker knows whether
 * anything of it is left. `unavailable`: the broker did not answer, or the deployment's share of its calls is used up, or an
 * attempt of `old` is on its way and cannot be ended yet. `changed`: another process wrote `old` in the meantime.
 *
 * Invariant: nothing of the old session is at the broker when it stops counting, and nothing of it comes there later.
 * Race: a client that comes back to it meanwhile writes the record. Then this write is refused, and the caller looks again.
 * On crash: ended and still counted, until an event tells the end or the sweeper asks; or a tombstone that owes its place.
 */
export async function takeOver(
  ports: TakeOverPorts,
  deploymentId: DeploymentId,
  clientId: ClientId,
  old: Stored<Session>,
): Promise<'over' | 'changed' | 'unavailable'> {
  const now = ports.clock.now();
  if (isLive(old.value, now) && isOnItsWay(old.value, now)) return 'unavailable';
  const isAsked = !leftNothing(old.value, now);
  if (isAsked) {
    const id = toBrokerClientId(deploymentId, clientId);
    if ((await ports.broker.deleteConnection(id, { cleanSession: true })) === 'unknown') return 'unavailable';
  }
  const overAt = ports.clock.now();
  if ((await uncountOver(ports, old)) !== undefined) return 'over';
  if (isAsked) await noteOver(ports, { before: old.value, askedAt: now, overAt });
  return 'changed';
}

/**
 * What the broker has ended is over, whoever has written the record meanwhile.
 *
 * Invariant: what is told later of that connection's end keeps nothing of its session.
 * Race: each write is conditional on the record that was read, and decided anew on another.
 * On crash: the session is counted for its expiry, or until the reconciler asks.
 */
async function noteOver(ports: TakeOverPorts, kick: Kick): Promise<void> {
  for (let round = 0; round < maxRounds; round++) {
    const stored = await ports.store.readSession(kick.before);
    if (stored === undefined) return;
    const after = decideAfterKick(kick, stored.value);
    // Another attempt was confirmed in between: the sweeper asks the broker.
    const next =
      after.kind === 'unsure' ? extendLease(stored.value, kick.overAt) : 'next' in after ? after.next : undefined;
    if (next === undefined || (await commit(ports, stored, next)).kind === 'done') return;
  }
}
