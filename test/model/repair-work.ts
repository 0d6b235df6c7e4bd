// Kicks, recounts, and comparing a session with the broker: each a process that may die, beside all the others.

import { recount } from '../../shared/app/counter/recount.ts';
import { kickClient } from '../../shared/app/operations/kick.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import { compareWithBroker } from '../../shared/app/repair/compare-with-broker.ts';
import { type ClientId, type DeploymentId, toBrokerClientId, type Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { World } from './world.ts';

/** S15: whoever comes back in between stays counted; whatever dies in between counts too many. */
export async function startKick(
  world: World,
  clientId: ClientId | undefined,
  deploymentId: DeploymentId | undefined,
  how: number,
): Promise<void> {
  if (clientId === undefined || deploymentId === undefined) return;
  const of = how % 3 === 0 ? world.oracle.find(deploymentId, clientId)?.username : undefined;
  await work(world, deploymentId, `kick ${clientId}${of === undefined ? '' : ` of ${of}`}`, async (ports) => {
    if (world.planted.kick !== undefined) {
      await world.planted.kick(ports, deploymentId, clientId);
      return 'planted';
    }
    const kicked = await kickClient(
      { ...ports, pause: async () => undefined, kickTries: 2 },
      deploymentId,
      clientId,
      of,
    );
    if (kicked.kind !== 'unavailable') world.noteKicked(toBrokerClientId(deploymentId, clientId));
    if (kicked.kind === 'returned') world.reached.note('kicked and came back');
    return kicked.kind;
  });
}

export function startRecount(world: World, deploymentId: DeploymentId, username: Username): Promise<void> {
  return work(world, deploymentId, `recount ${username}`, async (ports) => {
    const { removed, added } = await recount(ports, deploymentId, username);
    world.reached.note('recounted beside traffic');
    return `removed ${removed}, added ${added}`;
  });
}

export function startCompare(world: World, session: Session): Promise<void> {
  return work(world, session.deploymentId, `compare ${session.clientId} of ${session.username}`, async (ports) => {
    const compared = await compareWithBroker(ports, session);
    if (compared !== 'not asked') world.reached.note('compared with the broker');
    return compared;
  });
}

async function work(
  world: World,
  deploymentId: DeploymentId,
  title: string,
  run: (ports: LifeCyclePorts) => Promise<string>,
): Promise<void> {
  await world.start(
    { kind: 'worker', deploymentId, door: undefined, max: Number.POSITIVE_INFINITY, title },
    async (actor) => {
      const done = await run(world.portsFor(actor)).catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error;
        return 'the database did not answer';
      });
      world.tell(actor, `is done: ${done}`);
    },
  );
}
