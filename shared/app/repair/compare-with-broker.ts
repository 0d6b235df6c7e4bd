// One session, compared with what the broker says of it. Where the two agree nothing is written. Where they do not, the
// session is settled by the rules of the life cycle, on the very answer that was heard (IoT Core takes one question a
// second for a client id), and only if the record still is the one that was read before the question.

import { toBrokerClientId } from '../../domain/ids.ts';
import { isSamePlace } from '../../domain/place.ts';
import { isLive, mayLiveOn, pendingOf, type Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms } from '../../domain/time.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';
import { change } from '../presence/change.ts';
import { createHeld } from '../presence/held.ts';
import type { LifeCyclePorts } from '../presence/step.ts';

export type Compared =
  /** Or somebody has heard of it in the meantime. */
  | 'agrees'
  /** It counted, and is not there. */
  | 'ghost'
  /** It was freed, and is there: counted again. */
  | 'uncounted'
  /** It is there, but not as the record had it. */
  | 'corrected'
  | 'unknown'
  /** It has changed since it was found: somebody has heard of it. */
  | 'not asked';

/** Two clocks, and what IoT Core rounds. */
const toleranceMs = 60_000;

export async function compareWithBroker(ports: LifeCyclePorts, hint: Session): Promise<Compared> {
  const { store, broker, clock } = ports;
  const seen = await store.readSession(hint);
  if (seen === undefined || !isSame(seen.value, hint) || !isWorthAsking(seen.value, clock.now())) return 'not asked';
  const says = await broker.getConnection(toBrokerClientId(hint.deploymentId, hint.clientId));
  if (says.kind === 'unknown') return 'unknown';
  if (agrees(seen.value, says) && !(await hasChangedHands(ports, seen.value))) return 'agrees';
  return settle(ports, hint, seen, says);
}

async function settle(ports: LifeCyclePorts, names: Names, seen: Stored<Session>, says: BrokerSays): Promise<Compared> {
  const heard: LifeCyclePorts = { ...ports, broker: { ...ports.broker, getConnection: async () => says } };
  // Written only over the record that stood there before the question; whoever wrote since knows better.
  let isOurs = false;
  const applied = await change(
    heard,
    names,
    (session) => {
      isOurs = isSame(session, seen.value);
      // Where nobody can say whose connection it is, all stays as it was.
      return isOurs ? { orElse: session } : 'nothing';
    },
    createHeld(ports.store, { seen }),
  );
  if (applied === 'later') return 'unknown';
  if (!isOurs) return 'agrees';
  const now = await ports.store.readSession(names);
  if (now?.revision === seen.revision) return 'unknown';
  if (seen.value.phase.kind === 'ended') return now?.value.phase.kind === 'ended' ? 'agrees' : 'uncounted';
  if (now === undefined || !isSamePlace(now.value.place, seen.value.place) || now.value.phase.kind === 'ended')
    return 'ghost';
  return 'corrected';
}

function isWorthAsking(session: Session, now: Ms): boolean {
  return isLive(session, now) || mayLiveOn(session, now);
}

/** The same life, the same attempt, in the same state. */
function isSame(a: Session, b: Session): boolean {
  return (
    isSamePlace(a.place, b.place) &&
    a.attempts[0].id === b.attempts[0].id &&
    a.phase.kind === b.phase.kind &&
    pendingOf(a)?.until === pendingOf(b)?.until &&
    a.countsUntil === b.countsUntil
  );
}

function agrees(session: Session, says: BrokerSays): boolean {
  if (session.phase.kind === 'ended') return says.kind === 'absent';
  if (says.kind !== session.phase.kind) return false;
  if (says.kind !== 'retained' || says.disconnectedAt === undefined || says.expirySeconds === undefined) return true;
  const told = addSeconds(says.disconnectedAt, says.expirySeconds);
  return Math.abs(told - session.countsUntil) <= toleranceMs;
}

/** The broker knows client ids, not usernames: what it says may be of whoever holds the client id now. */
async function hasChangedHands({ store }: LifeCyclePorts, session: Session): Promise<boolean> {
  const owner = await store.readOwner(session.deploymentId, session.clientId);
  return owner !== undefined && owner.value.username !== session.username;
}
