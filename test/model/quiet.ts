// All is quiet: everybody is done or dead, every message is delivered, the leases are over, the sweeper has been there.
// Now the count must agree with the table and with the broker; and when everybody has left, with nothing.

import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { isLive, pendingOf, type Session } from '../../shared/domain/session/record.ts';
import { seconds } from '../../shared/domain/time.ts';
import { type ConnectOutcome, dial, startConnect } from './connects.ts';
import { excuseCounted, excuseOnce, excuseRepeated, isAnybodys, takesUnasked } from './excuses.ts';
import { advance } from './passing-time.ts';
import { tellHappenings } from './presence-wire.ts';
import { deliver, startSweep } from './presence-work.ts';
import { startCompare } from './repair-work.ts';
import { skewMaxMs } from './run-config.ts';
import { deployments, usernames } from './schedule.ts';
import { isCounted, rosterOf, sessionsOf } from './table-view.ts';
import type { World } from './world.ts';

const dayMs = 86_400_000;
const leaseOverMs = 31_000;

export async function endInQuiet(world: World): Promise<void> {
  await comeToRest(world);
  await passLeases(world);
  checkAgreement(world, (session) => excuseCounted(world, session) ?? excuseOnce(world, session));
  await passLeases(world);
  checkAgreement(world, (session) => excuseCounted(world, session));
  await repeatEverything(world);
  await probeLimits(world);
  await everybodyLeaves(world);
}

async function comeToRest(world: World): Promise<void> {
  world.tell(undefined, '--- quiet');
  for (const late of [...world.lateWrites]) await world.land(late);
  for (const actor of world.running()) await world.finish(actor);
  for (const call of [...world.dials]) dial(world, call, true, 0);
  world.checkNow();
}

async function deliverAll(world: World): Promise<void> {
  for (const message of [...world.queue.messages]) {
    await deliver(world, [message]);
    for (const actor of world.running()) await world.finish(actor);
  }
}

async function sweepAlone(world: World): Promise<void> {
  await startSweep(world);
  for (const actor of world.running()) await world.finish(actor);
}

/** Past the lease, and one sweep more than is promised where a message had to wait for the first. */
async function passLeases(world: World): Promise<void> {
  await deliverAll(world);
  // By the clock of a sweeper that is behind the one that gave the lease.
  await advance(world, world.config.skew ? leaseOverMs + 2 * skewMaxMs : leaseOverMs, 0);
  await sweepAlone(world);
  for (let round = 0; round < 4; round++) await deliverAll(world);
  await sweepAlone(world);
  // A report of an attempt that was let in without a count waits ten minutes for it at most.
  if (world.config.admits && world.queue.messages.length > 0) {
    await advance(world, 601_000, 0);
    await deliverAll(world);
    await sweepAlone(world);
  }
  const [stuck] = world.queue.messages;
  if (stuck !== undefined) world.violate('messages settle', `${stuck.id} is asked for again and again`);
}

/** I2: `used` is the number of live sessions, and they are the ones that really exist. */
function checkAgreement(world: World, excuse: (session: Session) => string | undefined): void {
  const now = world.clock.now();
  for (const deploymentId of deployments) {
    for (const username of usernames) {
      const { used } = rosterOf(world.view, deploymentId, username);
      const all = sessionsOf(world.view, deploymentId, username).filter((session) => isLive(session, now));
      // An attempt that is excused from being settled need not be counted either.
      const live = all.filter((session) => isCounted(world.view, session) || excuse(session) === undefined);
      if (used !== live.length)
        world.violate('I2', `${deploymentId}/${username}: used is ${used}, live sessions are ${live.length}`);
      for (const session of live) {
        if (!isCounted(world.view, session)) world.violate('I2', `${username}: ${session.clientId} is not counted`);
        if (pendingOf(session)?.until !== undefined && excuse(session) === undefined)
          world.violate('I7', `${username}: ${session.clientId} is pending still`);
        const real = world.oracle.find(deploymentId, session.clientId);
        if (real?.username === username || excuse(session) !== undefined) continue;
        world.violate(
          'I2',
          `${username}: ${session.clientId} is ${session.phase.kind} and counted, but does not exist`,
        );
      }
    }
  }
  for (const real of world.oracle.live()) {
    const session = sessionsOf(world.view, real.deploymentId, real.username).find(
      (one) => one.clientId === real.clientId,
    );
    if (session !== undefined && isLive(session, now) && isCounted(world.view, session)) continue;
    // Its events are there now, so it counts, unless it had ended before they came; or it came late, on a client id that
    // was taken over meanwhile, and nobody can say whose connection it is.
    const { drops } = world.config;
    const excused =
      world.excuseUncounted(real) !== undefined && (drops || takesUnasked(world) || real.connection === undefined);
    if (!excused) world.violate('I2', `${real.username}: ${real.clientId} exists and is not counted`);
  }
}

/** I5: a reconnect is free, and whatever was delivered before changes nothing when it comes again. */
async function repeatEverything(world: World): Promise<void> {
  const before = describeCounts(world);
  for (const message of world.queue.sent.slice(-40)) {
    world.queue.messages.push({ ...message, id: `${message.id}''`, handler: undefined, receives: 0 });
  }
  world.tell(undefined, '--- everything is delivered once more');
  for (let round = 0; round < 4; round++) await deliverAll(world);
  world.queue.messages.splice(0);
  const after = describeCounts(world);
  // What a lost message or a late CONNECT left behind, a repeated message may put right.
  const { drops } = world.config;
  const excused =
    drops ||
    (takesUnasked(world) && world.hasHeardLate()) ||
    world.oracle.live().some((real) => world.excuseUncounted(real) !== undefined);
  if (before !== after && !excused) world.violate('I5', `delivered once more, ${before} became ${after}`);
}

function describeCounts(world: World): string {
  const counted = [...world.view.sessions.values()].filter(
    (session) => isCounted(world.view, session) && excuseRepeated(world, session) === undefined,
  );
  return counted
    .map(
      ({ deploymentId, username, clientId, phase, place }) =>
        `${deploymentId}/${username}/${clientId} ${phase.kind} ${place}`,
    )
    .join(', ');
}

/** I4: a new client is rejected for quota if and only if the username's live sessions are at the limit. */
async function probeLimits(world: World): Promise<void> {
  const [deploymentId] = deployments;
  if (deploymentId === undefined) return;
  for (const username of usernames) {
    const { used } = rosterOf(world.view, deploymentId, username);
    const outcome = await ask(world, deploymentId, username, `probe-${username}` as ClientId);
    const expected = used < world.max ? 'admitted' : 'rejected';
    if (outcome.kind !== expected)
      world.violate('I4', `${username} has ${used} of ${world.max}, and a new client is ${outcome.kind}`);
    const [mine] = world.oracle
      .live()
      .filter((real) => real.deploymentId === deploymentId && real.username === username);
    if (mine === undefined || world.excuseUncounted(mine) !== undefined) continue;
    const counted = rosterOf(world.view, deploymentId, username).used;
    const again = await ask(world, deploymentId, username, mine.clientId);
    const now = rosterOf(world.view, deploymentId, username).used;
    // Two usernames on one client id, and nobody can say yet whose connection it is.
    const isUnclear = world.isContested(mine) || isAnybodys(world, mine);
    const isHeld = again.kind === 'unavailable' || (again.kind === 'rejected' && again.reason === 'client_id_held');
    if (isHeld && isUnclear) continue;
    if (again.kind !== 'admitted' || !again.reconnect || now !== counted)
      world.violate('I5', `${mine.clientId} reconnects: ${again.kind}, used ${counted} becomes ${now}`);
  }
}

async function ask(
  world: World,
  deploymentId: DeploymentId,
  username: Username,
  clientId: ClientId,
): Promise<ConnectOutcome> {
  const witness = world.config.witness === 'broker' ? 'broker' : 'door';
  const outcomes = await startConnect(world, {
    deploymentId,
    username,
    clientId,
    witness,
    expirySeconds: seconds(60),
    cleanStart: false,
  });
  for (const actor of world.running()) await world.finish(actor);
  return outcomes[0] ?? { kind: 'open' };
}

async function reconcileAll(world: World): Promise<void> {
  for (const session of [...world.view.sessions.values()]) {
    if (session.phase.kind === 'new' || pendingOf(session)?.until !== undefined) continue;
    await startCompare(world, session);
    for (const actor of world.running()) await world.finish(actor);
  }
}

/** I3: when every client is gone and every bound has run out, nothing is counted and no roster is left. */
async function everybodyLeaves(world: World): Promise<void> {
  world.tell(undefined, '--- everybody leaves');
  for (const call of [...world.dials]) dial(world, call, false, 0);
  for (const real of world.oracle.connected())
    tellHappenings(world, world.oracle.disconnect(real, 'CLIENT_INITIATED_DISCONNECT'), 0);
  await passLeases(world);
  await advance(world, dayMs, 0);
  // Where two usernames were let in on one client id, the sweeper and the reconciler find which of them is gone.
  if (takesUnasked(world)) {
    await sweepAlone(world);
    await reconcileAll(world);
  }
  await advance(world, dayMs, 0);
  await sweepAlone(world);
  for (const { username, roster } of world.view.rosters.values()) {
    world.violate('I3', `${username} has ${roster.used} in its roster, and everybody has left for good`);
  }
}
