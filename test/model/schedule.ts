// From numbers to deeds: which of the things that could happen next does. A step that means nothing where it stands is
// skipped, so that any list of steps is a run, and a failing one can be shortened.

import { BatchWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { decodeSession, type Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { pendingOf } from '../../shared/domain/session/record.ts';
import { seconds } from '../../shared/domain/time.ts';
import { dial, dialWithinMs, startConnect } from './connects.ts';
import { chooseFate } from './fates.ts';
import { advance } from './passing-time.ts';
import { tellHappenings } from './presence-wire.ts';
import { deliver, startSweep } from './presence-work.ts';
import { startCompare, startKick, startRecount } from './repair-work.ts';
import { faultRates, type Step } from './run-config.ts';
import { isCounted } from './table-view.ts';
import type { World } from './world.ts';

export const deployments = ['d1', 'd2'] as readonly string[] as readonly DeploymentId[];
export const usernames = ['ann', 'ben'] as readonly string[] as readonly Username[];
const clientIds = ['c0', 'c1', 'c2', 'c3'] as readonly string[] as readonly ClientId[];
const expiries = [0, 0, 60, 600].map(seconds);
const claims = [0, 0, 30, 900].map(seconds);

function pick<T>(from: readonly T[], draw: number): T | undefined {
  return from[draw % from.length];
}

export async function takeStep(world: World, step: Step): Promise<void> {
  const { what, whom, how } = step;
  const { waiting } = world.gates;
  if (waiting.length > 0 && what < 620) return passGate(world, step);
  const rest = what % 100;
  if (rest < 30) return world.running().length < 6 ? connect(world, step) : passGate(world, step);
  if (rest < 48) return dialOne(world, step);
  if (rest < 66) return deliverSome(world, step);
  if (rest < 76) return leave(world, step);
  if (rest < 79) return advance(world, 1 + (how % 900), how);
  if (rest < 81) return startKick(world, pick(clientIds, whom), pick(deployments, whom % 23 === 0 ? 1 : 0), how);
  if (rest < 82) return startRepair(world, step);
  if (rest < 88) return advance(world, jumpMs(world, whom, how), how);
  if (rest < 93)
    return world.running().some((actor) => actor.kind === 'sweeper') ? passGate(world, step) : startSweep(world);
  if (rest < 95) return changeLimit(world, how);
  if (rest < 97) return die(world, step);
  if (rest < 98) return landLate(world, whom);
  if (rest < 99) return duplicate(world, whom);
  return collect(world, how);
}

async function passGate(world: World, { whom, how }: Step): Promise<void> {
  const call = pick(world.gates.waiting, whom);
  if (call === undefined) return;
  await world.letThrough(call, chooseFate(call, faultRates(world.config), how), how);
}

async function connect(world: World, { whom, how }: Step): Promise<void> {
  const { witness } = world.config;
  const username = pick(usernames, whom % 10 < 7 ? 0 : 1);
  const clientId = pick(clientIds, Math.floor(whom / 10));
  const deploymentId = pick(deployments, whom % 23 === 0 ? 1 : 0);
  const expirySeconds = pick(expiries, how);
  if (username === undefined || clientId === undefined || deploymentId === undefined || expirySeconds === undefined)
    return;
  const wish = {
    deploymentId,
    username,
    clientId,
    witness: witness === 'mixed' ? (how % 2 === 0 ? 'door' : 'broker') : witness,
    expirySeconds,
    cleanStart: how % 3 === 0,
  } as const;
  // Now and then the same process has all the other client ids of the username to decide about as well.
  const others = how % 17 === 3 ? clientIds.filter((other) => other !== clientId) : [];
  await startConnect(world, wish, ...others.map((other) => ({ ...wish, clientId: other })));
}

function dialOne(world: World, { whom, how }: Step): void {
  const call = pick(world.dials, whom);
  if (call === undefined) return;
  // In runs with late CONNECTs every other one is kept for after its lease.
  if (world.config.lateDials && how % 2 === 0 && world.clock.now() - call.admittedAt < dialWithinMs) return;
  dial(world, call, how % 8 !== 0, how);
  world.checkNow();
}

async function deliverSome(world: World, { whom, how }: Step): Promise<void> {
  const visible = world.queue.visible();
  const first = pick(visible, whom);
  if (first === undefined) return;
  const second = how % 5 === 0 ? pick(visible, whom + 1) : undefined;
  await deliver(world, second === undefined || second === first ? [first] : [first, second]);
}

/**
 * A client goes as it likes: a DISCONNECT says anything about the expiry, and the broker may have closed the connection on a
 * malformed packet before it, so that it never read it.
 */
function leave(world: World, { whom, how }: Step): void {
  const real = pick(world.oracle.connected(), whom);
  if (real === undefined) return;
  const claimed = how % 3 === 0 ? pick(claims, Math.floor(how / 3)) : undefined;
  const isRead = Math.floor(how / 12) % 2 === 0;
  const reason = claimed === undefined ? 'CONNECTION_LOST' : isRead ? 'CLIENT_INITIATED_DISCONNECT' : 'CLIENT_ERROR';
  const said = claimed === undefined ? '' : `, and says ${claimed} s${isRead ? '' : ' to nobody'}`;
  world.tell(undefined, `${real.clientId} of ${real.username} leaves${said}`);
  if (claimed !== undefined && !isRead) world.reached.note('said what the broker did not hear');
  tellHappenings(world, world.oracle.disconnect(real, reason, claimed === undefined ? {} : { claimed, isRead }), how);
  world.checkNow();
}

/** To the edge of something: a lease, an expiry, the end of a connection's day; or simply far away. */
function jumpMs(world: World, whom: number, how: number): number {
  const now = world.clock.now();
  const edges = [...world.view.sessions.values()].flatMap((session) => [
    pendingOf(session)?.until,
    session.phase.kind === 'ended' ? undefined : session.countsUntil,
    session.dueAt,
  ]);
  const ahead = [...edges, world.oracle.nextEnd()]
    .filter((at) => at !== undefined && at > now)
    .map((at) => Number(at) - now);
  const edge = pick(ahead, whom);
  if (edge !== undefined && how % 4 !== 0) return Math.max(1, edge + (how % 3) - 1);
  return pick([2_000, 6_000, 31_000, 61_000, 601_000, 3_700_000, 90_000_000], how) ?? 1_000;
}

function changeLimit(world: World, how: number): void {
  world.max = how % 12 === 0 ? Number.POSITIVE_INFINITY : 1 + (how % 3);
  world.tell(undefined, `the limit is ${world.max} now`);
}

/** A worker, or a front door with all its connections. */
function die(world: World, { whom, how }: Step): void {
  if (world.config.faults === 'none') return;
  if (how % 4 !== 0) {
    const actor = pick(world.running(), whom);
    if (actor !== undefined) world.kill(actor);
    return;
  }
  // Without the broker's events a front door dies only with the whole product, which settles it at its next start.
  if (!world.config.doorEvents || world.config.witness === 'broker') return;
  const { door } = world;
  world.door++;
  world.tell(undefined, `the front door dies`);
  for (const actor of world.running()) if (actor.door === door) world.kill(actor);
  for (const call of world.dials.filter((one) => one.asked.tag.door === door))
    world.dials.splice(world.dials.indexOf(call), 1);
  for (const real of world.oracle.connected()) {
    if (real.tag.door === door) tellHappenings(world, world.oracle.disconnect(real, 'CONNECTION_LOST'), how);
  }
  world.checkNow();
}

async function startRepair(world: World, { whom, how }: Step): Promise<void> {
  const username = pick(usernames, how);
  const [deploymentId] = deployments;
  const session = pick([...world.view.sessions.values()], whom);
  if (how % 3 === 0 && session !== undefined) return startCompare(world, session);
  if (deploymentId !== undefined && username !== undefined) await startRecount(world, deploymentId, username);
}

async function landLate(world: World, whom: number): Promise<void> {
  const late = pick(world.lateWrites, whom);
  if (late !== undefined) await world.land(late);
}

function isStillCounted(world: World, item: Item): boolean {
  return item.owes === true || isCounted(world.view, decodeSession(item).value);
}

function duplicate(world: World, whom: number): void {
  const message = pick(world.queue.messages, whom);
  if (message !== undefined && message.copies === 0) world.queue.duplicate(message);
}

/**
 * The database removes items whose time to live is over, some of them, some time: tombstones and who held a client id.
 * It lies a day after the time that counts, and the sweeper runs every minute, so it never comes upon a session.
 */
async function collect(world: World, how: number): Promise<void> {
  const isOver = (item: Item): boolean => typeof item.ttl === 'number' && item.ttl < world.clock.now() / 1000;
  // Nor upon a tombstone whose place is still counted: the database takes its time, a message comes again in minutes.
  const isLeft = (item: Item): boolean =>
    item.holding === undefined || (item.holding === 'freed' && !isStillCounted(world, item));
  const old = [...world.view.items.values()]
    .filter((item, n) => isOver(item) && isLeft(item) && (how + n) % 2 === 0)
    .slice(0, 25);
  if (old.length === 0) return;
  world.tell(undefined, `${old.length} items reach the end of their time to live`);
  await world.aside((client, tableName) =>
    client.send(
      new BatchWriteCommand({
        RequestItems: { [tableName]: old.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })) },
      }),
    ),
  );
}
