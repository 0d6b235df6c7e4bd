// Kicking one client (S15): the broker ends its connection and its session, then its place is freed. The broker first,
// because a place that is free while its connection lives would let one too many in; a process that dies in between
// leaves one too many counted, and the next kick finds it. Repeating it is harmless.
//
// A kick reaches the broker for a tombstone too: the records say that nothing is left there, and the broker alone knows.

import { type AttemptId, type ClientId, type DeploymentId, toBrokerClientId, type Username } from '../../domain/ids.ts';
import { type AfterKick, decideAfterKick, type Kick } from '../../domain/kick.ts';
import { isLive, isTombstone, owesPlace, type Session } from '../../domain/session/record.ts';
import type { Pause } from '../../ports/common/clock.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import { complete } from '../counter/commit.ts';
import { change } from '../presence/change.ts';
import { createHeld } from '../presence/held.ts';
import type { LifeCyclePorts } from '../presence/step.ts';

export interface KickPorts extends LifeCyclePorts {
  readonly pause: Pause;
  /** How often the broker is asked where it does not answer, the first time included. */
  readonly kickTries: number;
}

export interface Kicked {
  readonly kind:
    | 'ended'
    /** Disconnected. An attempt was under way, and counts until the broker can say what became of it. */
    | 'pending'
    /** Disconnected. It has come back since, and stays counted. */
    | 'returned'
    /** There was no session of this client id, and no tombstone. */
    | 'nothing'
    /** The broker does not answer. Nothing is changed here. */
    | 'unavailable';
  /** The attempt that was kicked. */
  readonly attempt?: AttemptId;
}

/** IoT Core takes one DeleteConnection a second for each client id. */
const retryMs = 1_100;

/**
 * `of`: only if it is this username's session; without it, whoever holds the client id. `concerns`: only if that
 * holds of the session as it stands now.
 */
export async function kickClient(
  ports: KickPorts,
  deploymentId: DeploymentId,
  clientId: ClientId,
  of?: Username,
  concerns: (session: Session) => boolean = () => true,
): Promise<Kicked> {
  const holders = await readHolders(ports, deploymentId, clientId, of);
  for (const found of holders) if (owesPlace(found.value)) await complete(ports, found);
  const now = ports.clock.now();
  const isMeant = ({ value }: Stored<Session>): boolean => of === undefined || value.username === of;
  const live = holders.filter(({ value }) => isLive(value, now));
  const meant = live.find(isMeant);
  if (meant === undefined) {
    const over = holders.find((found) => isMeant(found) && isTombstone(found.value, now));
    return over === undefined ? { kind: 'nothing' } : endTombstone(ports, over.value, live);
  }
  if (!concerns(meant.value)) return { kind: 'returned', attempt: meant.value.attempts[0].id };
  const [holder] = holders;
  if (holder !== undefined && holder !== meant && live.includes(holder) && isSettled(holder.value)) {
    // Another username is connected there: a kick would hit the wrong one, and the broker has ended this one already.
    await change(ports, meant.value, () => 'ask the broker');
    return { kind: 'returned', attempt: meant.value.attempts[0].id };
  }
  const askedAt = ports.clock.now();
  if ((await endAtBroker(ports, deploymentId, clientId)) === 'unknown') return { kind: 'unavailable' };
  const overAt = ports.clock.now();
  let outcome: Kicked = { kind: 'ended' };
  for (const stored of live) {
    const kicked = await settle(ports, stored, { before: stored.value, askedAt, overAt });
    if (stored === meant) outcome = kicked;
  }
  await settleNewcomer(ports, meant.value, live, { before: meant.value, askedAt, overAt });
  return outcome;
}

/**
 * Whoever came to hold the client id after the holders were read may have lost its connection to this kick.
 *
 * Invariant: what a kick has ended is not told of later as if it had ended by itself, with its session kept.
 * Race: a newcomer that comes after this reading comes after the kick too.
 * On crash: the newcomer's end is told as its own, and its session counts for its expiry.
 */
async function settleNewcomer(
  ports: KickPorts,
  { deploymentId, clientId }: Session,
  known: readonly Stored<Session>[],
  kick: Kick,
): Promise<void> {
  const owner = (await ports.store.readOwner(deploymentId, clientId))?.value.username;
  if (owner === undefined || known.some(({ value }) => value.username === owner)) return;
  const stored = await ports.store.readSession({ deploymentId, clientId, username: owner });
  if (stored !== undefined && isLive(stored.value, ports.clock.now())) await settle(ports, stored, kick);
}

/** The same for a session that was found to be over: one that has come back since is left alone. */
export async function kickTombstone(ports: KickPorts, over: Session): Promise<Kicked> {
  const { deploymentId, clientId, username } = over;
  const holders = await readHolders(ports, deploymentId, clientId, username);
  const live = holders.filter(({ value }) => isLive(value, ports.clock.now()));
  return endTombstone(ports, over, live);
}

/** `live`: what lives under the client id again. Another username there began clean (S9): nothing of the old one is left. */
async function endTombstone(ports: KickPorts, tombstone: Session, live: readonly Stored<Session>[]): Promise<Kicked> {
  if (live.length > 0) return { kind: 'ended' };
  const { deploymentId, clientId } = tombstone;
  const askedAt = ports.clock.now();
  if ((await endAtBroker(ports, deploymentId, clientId)) === 'unknown') return { kind: 'unavailable' };
  await settleNewcomer(ports, tombstone, live, { before: tombstone, askedAt, overAt: ports.clock.now() });
  return { kind: 'ended' };
}

/** A connection that is known and the only thing that this username has under the client id. */
function isSettled(session: Session): boolean {
  return session.phase.kind === 'connected' && session.phase.pending === undefined;
}

/**
 * Whose connection may be the one at the broker: the owner's of the client id, first, and that of the username that is
 * meant. Read before the kick: what is freed afterwards is exactly this.
 */
async function readHolders(
  ports: KickPorts,
  deploymentId: DeploymentId,
  clientId: ClientId,
  of: Username | undefined,
): Promise<readonly Stored<Session>[]> {
  const { store } = ports;
  const owner = await store.readOwner(deploymentId, clientId);
  const usernames = new Set([owner?.value.username, of].filter((username) => username !== undefined));
  const read = [...usernames].map((username) => store.readSession({ deploymentId, clientId, username }));
  return (await Promise.all(read)).filter((found) => found !== undefined);
}

async function endAtBroker(
  ports: KickPorts,
  deploymentId: DeploymentId,
  clientId: ClientId,
): Promise<'over' | 'unknown'> {
  const id = toBrokerClientId(deploymentId, clientId);
  for (let tried = 1; ; tried += 1) {
    // A try that timed out may have done it: then the next one is told that there is nothing.
    if ((await ports.broker.deleteConnection(id, { cleanSession: true })) !== 'unknown') return 'over';
    if (tried >= ports.kickTries) return 'unknown';
    await ports.pause(retryMs);
  }
}

async function settle(ports: KickPorts, seen: Stored<Session>, kick: Kick): Promise<Kicked> {
  let decided: AfterKick = { kind: 'freed' };
  let attempt = kick.before.attempts[0].id;
  const applied = await change(
    ports,
    seen.value,
    (session) => {
      decided = decideAfterKick(kick, session);
      if (decided.kind === 'doubtful') attempt = session.attempts[0].id;
      if (decided.kind === 'unsure') return 'ask the broker';
      return decided.kind === 'freed' || decided.next === undefined ? 'nothing' : { next: decided.next };
    },
    createHeld(ports.store, { seen }),
  );
  return { kind: applied === 'later' ? 'pending' : outcomeOf(decided), attempt };
}

function outcomeOf({ kind }: AfterKick): Kicked['kind'] {
  switch (kind) {
    case 'freed':
    case 'ends':
      return 'ended';
    case 'doubtful':
      return 'pending';
    case 'returned':
    case 'unsure':
      return 'returned';
  }
}
