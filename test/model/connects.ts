// CONNECTs: asking for admission, and then, if it was admitted and nobody has died, the broker. Between the two lies
// whatever the schedule puts there.

import { admit } from '../../shared/app/admission/admit.ts';
import { admitUncounted, mayAdmitUncounted } from '../../shared/app/admission/admit-uncounted.ts';
import { connectBudgetMs } from '../../shared/config/constants.ts';
import {
  type ClientId,
  type DeploymentId,
  type TenantId,
  toBrokerClientId,
  type Username,
} from '../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings, limitSettings } from '../../shared/domain/settings.ts';
import { type Ms, ms, type Seconds } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { ConnectSettings } from '../../shared/ports/settings/settings.ts';
import type { Actor } from './actor.ts';
import type { ConnectAsked, RealSession } from './broker-oracle.ts';
import { tellFailed, tellHappenings } from './presence-wire.ts';
import { userKey } from './table-view.ts';
import type { World } from './world.ts';

/** An admitted CONNECT on its way to the broker. */
export interface Dial {
  readonly asked: ConnectAsked;
  readonly admittedAt: Ms;
  readonly title: string;
}

export interface ConnectWish {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  readonly clientId: ClientId;
  readonly witness: 'door' | 'broker';
  readonly expirySeconds: Seconds;
  readonly cleanStart: boolean;
}

/** How one CONNECT ended: what the schedule's own checks ask for. */
export type ConnectOutcome = { kind: 'open' } | { kind: 'unavailable' } | Awaited<ReturnType<typeof admit>>;

function settingsOf(world: World, deploymentId: DeploymentId): ConnectSettings {
  return {
    deployment: {
      deploymentId,
      tenantId: 'tenant' as TenantId,
      name: deploymentId,
      mqttHost: '',
      status: 'active',
      ...defaultsOf(deploymentSettings),
      clientIdTakeover: world.config.takeover ? 'allow' : 'deny',
      onStoreFailure: world.config.admits ? 'admit' : 'reject',
      createdAt: ms(0),
    },
    limit: {
      ...defaultsOf(limitSettings),
      enabled: Number.isFinite(world.max),
      maxSessionsPerUsername: world.max,
      whitelistId: undefined,
      generation: 0,
      mayHaveOverrides: false,
    },
  };
}

/**
 * CONNECTs that one process decides side by side: they share its readings and its writes, and die together. The first wish
 * gives the process its name; all are of one deployment and username.
 */
export async function startConnect(world: World, ...wishes: readonly [ConnectWish, ...ConnectWish[]]) {
  const { deploymentId, username, witness } = wishes[0];
  const door = witness === 'door' ? world.door : undefined;
  const { max } = world;
  world.raiseCeiling(deploymentId, username, max);
  for (const { clientId } of wishes) world.noteAsked(deploymentId, clientId, username, witness);
  const outcomes: ConnectOutcome[] = wishes.map(() => ({ kind: 'open' }));
  const clientIds = wishes.map(({ clientId }) => clientId).join(' ');
  await world.start(
    {
      kind: 'connect',
      deploymentId,
      door,
      max,
      connects: wishes.length,
      title: `${username} ${clientIds} ${witness} max ${max}`,
    },
    async (actor) => {
      const ports = world.portsFor(actor);
      const one = async (wish: ConnectWish, n: number): Promise<void> => {
        outcomes[n] = await connectOne(world, actor, ports, wish);
      };
      await Promise.all(wishes.map(one));
    },
  );
  return outcomes;
}

async function connectOne(world: World, actor: Actor, ports: Ports, wish: ConnectWish): Promise<ConnectOutcome> {
  const { deploymentId, username, clientId, witness } = wish;
  const settings = settingsOf(world, deploymentId);
  const met = world.oracle.find(deploymentId, clientId);
  // Straight to the broker nothing tells the expiry at CONNECT: the deployment's stands in.
  const expirySeconds = witness === 'door' ? wish.expirySeconds : settings.deployment.sessionExpirySeconds;
  const { startedAt: receivedAt } = actor;
  const request = { deploymentId, username, clientId, witness, expirySeconds, receivedAt };
  const outcome = await admitOrFail(world, actor, ports, settings, request);
  // What it ended at the broker, as a takeover, is written down.
  if (outcome.kind !== 'unavailable') world.noteKicked(toBrokerClientId(deploymentId, clientId));
  const is = outcome.kind === 'rejected' ? `is rejected: ${outcome.reason}` : `is ${outcome.kind}`;
  world.tell(actor, actor.title.startsWith(`${username} ${clientId} ${witness}`) ? is : `${clientId} ${is}`);
  if (outcome.kind === 'rejected' && outcome.reason === 'quota_exceeded')
    checkNotTurnedAway(world, actor, username, met);
  if (outcome.kind !== 'admitted') return outcome;
  const tag = { attempt: outcome.attempt, witness, door: actor.door, uncounted: isUncounted(world, outcome) };
  const cleanStart = wish.cleanStart || outcome.mustCleanStart === true;
  world.dials.push({
    asked: { deploymentId, username, clientId, cleanStart, expirySeconds: wish.expirySeconds, tag },
    admittedAt: actor.startedAt,
    title: `${username} ${clientId} ${witness} max ${actor.max}`,
  });
  return outcome;
}

type Ports = ReturnType<World['portsFor']>;

async function admitOrFail(
  world: World,
  actor: Actor,
  shared: Ports,
  settings: ConnectSettings,
  request: Parameters<typeof admit>[2],
): Promise<ConnectOutcome> {
  const getNewer = async (): Promise<ConnectSettings> => {
    actor.max = world.max;
    world.raiseCeiling(request.deploymentId, request.username, world.max);
    world.reached.note('read the limit anew');
    return settingsOf(world, request.deploymentId);
  };
  const ports = { ...shared, settings: { getNewer }, budgetMs: connectBudgetMs };
  try {
    const decision = await admit(ports, settings, request);
    world.seen.note(request, decision);
    return decision;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    if (!mayAdmitUncounted(error, settings)) return { kind: 'unavailable' };
    const put = async (message: object): Promise<void> => {
      const { id } = world.queue.send(message, world.clock.now());
      world.tell(actor, `  queued ${id}: ${JSON.stringify(message)}`);
    };
    world.reached.note('let in without a count');
    world.uncounted.add(userKey(request.deploymentId, request.username));
    return admitUncounted({ ...shared, queue: { put } }, world.seen, settings, request);
  }
}

function isUncounted(world: World, { attempt }: { readonly attempt: string }): boolean {
  return world.queue.sent.some(
    ({ body }) => body.includes('"type":"admitted"') && body.includes(`"attempt":"${attempt}"`),
  );
}

/** S3: a client id whose session was there all the time is never turned away for quota. */
function checkNotTurnedAway(world: World, actor: Actor, username: Username, met: RealSession | undefined): void {
  if (met === undefined || met.username !== username || world.excuseUncounted(met) !== undefined) return;
  const now = world.oracle.find(met.deploymentId, met.clientId);
  if (now?.sessionIdentifier === met.sessionIdentifier && now.username === username)
    world.violate('S3', `${actor.title} was turned away from its own session`);
}

/** IoT Core waits 5 s for its authorizer, the front door's ticket lives 10 s: what is older does not reach the broker. */
export const dialWithinMs = 10_000;

export function dial(world: World, call: Dial, succeeds: boolean, draw: number): void {
  world.dials.splice(world.dials.indexOf(call), 1);
  world.tick();
  const late = world.clock.now() - call.admittedAt > dialWithinMs;
  if (!succeeds || (late && !world.config.lateDials)) {
    world.tell(undefined, `${call.title} does not reach the broker`);
    tellFailed(world, call, draw);
    return;
  }
  world.tell(
    undefined,
    `${call.title} connects${late ? ', late' : ''}, expiry ${call.asked.expirySeconds} s${call.asked.cleanStart ? ', clean' : ''}`,
  );
  if (late) world.lateAttempts.add(call.asked.tag.attempt);
  tellHappenings(world, world.oracle.connect(call.asked), draw);
}
