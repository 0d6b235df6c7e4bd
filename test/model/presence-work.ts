// Handlers of presence messages and the sweeper, each a process that may die.

import { applyPresence } from '../../functions/presence/apply.ts';
import { sweep } from '../../shared/app/repair/sweep.ts';
import { type BrokerClientId, type DeploymentId, parseBrokerClientId } from '../../shared/domain/ids.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { RankStore } from '../../shared/ports/usage/ranks.ts';
import { noRenewals } from '../support/passwords.ts';
import { type Message, toRecord } from './message-queue.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** Delivers messages in one batch to one process. */
export async function deliver(world: World, messages: readonly Message[]): Promise<void> {
  const [first] = messages;
  if (first === undefined) return;
  const body = JSON.parse(first.body) as { clientId: string; deploymentId?: DeploymentId };
  const names = parseBrokerClientId(body.clientId);
  const deploymentId = body.deploymentId ?? (names.ok ? names.value.deploymentId : undefined);
  for (const message of messages) {
    const about = JSON.parse(message.body) as { clientId: string; deploymentId?: DeploymentId };
    const prefixed = about.deploymentId === undefined ? about.clientId : `${about.deploymentId}:${about.clientId}`;
    world.noteHeard(prefixed as BrokerClientId, message.sentAt);
  }
  for (const message of messages) if (message.lostHandler) world.reached.note('delivered again after a death');
  const title = messages.map((message) => message.id).join(' ');
  // A batch may hold messages of several deployments; only one with a single message is somebody's alone.
  const owner = messages.length === 1 ? deploymentId : undefined;
  await world.start(
    { kind: 'presence', deploymentId: owner, door: undefined, max: Number.POSITIVE_INFINITY, title },
    async (actor) => {
      for (const message of messages) world.queue.receive(message, actor.id);
      const log = {
        info: () => undefined,
        error: () => undefined,
        warn: (_message: string, fields?: Readonly<Record<string, unknown>>) =>
          checkOnlyUnavailable(String(fields?.error)),
      };
      const ports = { ...world.portsFor(actor), credentials: noRenewals, ranks: noRanks, log };
      const left: Message[] = [];
      for (const message of messages) {
        const planted = await world.planted.apply?.(ports, JSON.parse(message.body)).catch(notInTime);
        if (planted === 'applied') world.queue.remove(message);
        else left.push(message);
      }
      const answer = await applyPresence(ports, { Records: left.map(toRecord) });
      const again = new Set(answer.batchItemFailures.map((failure) => failure.itemIdentifier));
      for (const message of left) {
        if (again.has(message.id)) world.queue.release(message);
        else world.queue.remove(message);
      }
      world.tell(actor, again.size === 0 ? 'is done' : 'asks for it again');
    },
  );
}

/** A fault that meets a time-out is no fault of this message: the sound code takes it. */
function notInTime(error: unknown): 'not mine' {
  if (!(error instanceof StoreUnavailable)) throw error;
  return 'not mine';
}

/** No message of the model asks for a rank. */
const noRanks: RankStore = {
  readRank: () => Promise.reject(new Error('nobody here ranks')),
  putRank: () => Promise.reject(new Error('nobody here ranks')),
};

/** A handler may fail where the database does not answer, and for no other reason. */
function checkOnlyUnavailable(error: string): void {
  if (!error.startsWith('StoreUnavailable')) throw new Violation('handlers fail for one reason only', error);
}

export async function startSweep(world: World): Promise<void> {
  await world.start(
    { kind: 'sweeper', deploymentId: undefined, door: undefined, max: Number.POSITIVE_INFINITY, title: 'sweep' },
    async (actor) => {
      const swept = await sweep(world.portsFor(actor)).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'StoreUnavailable') throw error;
      });
      world.tell(actor, `is done: ${JSON.stringify(swept ?? 'the database did not answer')}`);
    },
  );
}
