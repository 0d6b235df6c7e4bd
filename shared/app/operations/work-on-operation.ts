// A worker of operations: takes one, goes on where its record says, and leaves it as soon as it must. It may die at any
// call. What it has done is in the sessions themselves, what is left is in the record; so whoever comes next does only
// what is not done. One worker at a time has an operation, for as long as its claim holds; should two have it, they do
// each other no harm.

import { changeHoldsSeconds, operationSeconds } from '../../config/constants.ts';
import { addSeconds, type Ms, type Seconds, seconds } from '../../domain/time.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Operation, OperationMessage, Work } from '../../ports/operations/operations.ts';
import type { Stored } from '../../ports/presence/sessions.ts';
import { kickOn } from './end-sessions.ts';
import { type Step, stillHolds, type WorkerPorts } from './operation-step.ts';

export type Worked =
  /** It has ended, or another worker has it: the message has done its work. */
  | { readonly kind: 'over' }
  /** To be gone on with by a new message. */
  | { readonly kind: 'again'; readonly after: Seconds }
  /** This message is to come again: another worker has it, and does not know yet what this message knows. */
  | { readonly kind: 'later' };

/** Renewed with every page; a worker that is silent for so long is taken for dead. */
const claimSeconds = seconds(30);
/** How long after the moment that it should be gone on with somebody looks whether it was. */
const lookSeconds = seconds(60);
/** An operation that achieves nothing for so long has failed. */
const patienceSeconds = seconds(3_600);

const storeWaitSeconds = seconds(5);

const over: Worked = { kind: 'over' };

/** `mustStop` is asked between pages, so that a Lambda can end in time. */
export async function workOn(ports: WorkerPorts, message: OperationMessage, mustStop: () => boolean): Promise<Worked> {
  const { operations, clock } = ports;
  let stored = await operations.readOperation(message);
  if (stored === undefined || stored.value.status !== 'running') return over;
  const certain = stored.value.certain || message.certain === true;
  if (stored.value.claimedUntil !== undefined && stored.value.claimedUntil > clock.now())
    return certain === stored.value.certain ? over : { kind: 'later' };

  let step: Step = { operation: { ...stored.value, certain } };
  for (;;) {
    const saved = await save(ports, step, stored, mustStop);
    if (saved === 'another') return over;
    stored = saved.stored;
    if (saved.worked !== undefined) return saved.worked;
    step = await advanceOrWait(ports, stored.value);
  }
}

/** Writes down how far it is, and whether this worker goes on. */
async function save(
  ports: WorkerPorts,
  { operation, after }: Step,
  before: Stored<Operation>,
  mustStop: () => boolean,
): Promise<'another' | { readonly stored: Stored<Operation>; readonly worked: Worked | undefined }> {
  const now = ports.clock.now();
  const { claimedUntil: _c, ...unclaimed } = operation;
  const { value, worked } = decideNext(unclaimed, after, now, mustStop());
  if (value.status === 'failed')
    ports.log.error('an operation has failed', { operationId: value.operationId, cause: value.cause.kind });
  const put = await ports.operations.saveOperation(value, before);
  return put.kind === 'changed' ? 'another' : { stored: { value, revision: put.revision }, worked };
}

function decideNext(
  operation: Operation,
  after: Seconds | undefined,
  now: Ms,
  mustStop: boolean,
): { readonly value: Operation; readonly worked: Worked | undefined } {
  if (operation.status !== 'running') return { value: { ...operation, endedAt: now }, worked: over };
  if (addSeconds(operation.progressAt, patienceSeconds) < now)
    return { value: { ...operation, status: 'failed', endedAt: now }, worked: over };
  if (after !== undefined || mustStop) {
    const pauseSeconds = after ?? seconds(0);
    const lookAt = addSeconds(addSeconds(now, pauseSeconds), lookSeconds);
    return { value: { ...operation, lookAt }, worked: { kind: 'again', after: pauseSeconds } };
  }
  const claimedUntil = addSeconds(now, claimSeconds);
  return { value: { ...operation, claimedUntil, lookAt: addSeconds(claimedUntil, seconds(5)) }, worked: undefined };
}

/** Where the database does not answer, the operation is left where it is, and gone on with a little later. */
async function advanceOrWait(ports: WorkerPorts, operation: Operation): Promise<Step> {
  try {
    return await advance(ports, operation);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    ports.log.warn('an operation waits for the database', { operationId: operation.operationId });
    return { operation, after: storeWaitSeconds };
  }
}

async function advance(ports: WorkerPorts, operation: Operation): Promise<Step> {
  const { work } = operation;
  switch (work.step) {
    case 'begin':
      return begin(ports, operation);
    case 'count':
      return countOn(ports, operation, work);
    case 'kick':
      return kickOn(ports, operation, work);
    case 'remove':
      return removeOn(ports, operation, work);
  }
}

async function begin(ports: WorkerPorts, operation: Operation): Promise<Step> {
  const { deploymentId, cause, startedAt } = operation;
  if (!(await stillHolds(ports, operation))) return { operation: { ...operation, status: 'done' } };
  // Which of the sessions are concerned, only their records say, so they are not counted first.
  if (cause.kind === 'token_issuer_changed')
    return { operation: { ...operation, work: kickingAllBefore(ports, 'none') } };
  if (!('username' in cause)) return { operation: { ...operation, work: { step: 'count', sessions: 0 } } };
  if (cause.kind !== 'kick') return { operation: { ...operation, work: kickingAllBefore(ports, 'all') } };
  const { used, places, wide } = await ports.store.readRoster(deploymentId, cause.username);
  const now = ports.clock.now();
  const work = kicking(now, 'all');
  // Too many for a list, and most are a number only: whoever was admitted before now.
  if (wide === true) return { operation: { ...operation, total: used, work: { ...work, until: now } } };
  await ports.operations.putPlan(operation, places, addSeconds(startedAt, seconds(operationSeconds)));
  return { operation: { ...operation, total: places.size, work } };
}

type Kicking = Work & { readonly step: 'kick' };

function kicking(passBegan: Ms, toReach: 'all' | 'none'): Kicking {
  return { step: 'kick', passBegan, passedBy: {}, left: 0, kicked: {}, tombstones: { toReach, reached: 0, left: 0 } };
}

/** Who was admitted by what held before the change is in by then. */
function kickingAllBefore({ clock }: WorkerPorts, toReach: 'all' | 'none'): Kicking {
  const now = clock.now();
  return { ...kicking(now, toReach), until: addSeconds(now, seconds(changeHoldsSeconds)) };
}

const countedAtOnce = 1_000;

async function countOn(ports: WorkerPorts, operation: Operation, work: Work & { step: 'count' }): Promise<Step> {
  const { after } = work;
  const page = { limit: countedAtOnce, ...(after === undefined ? {} : { after }) };
  const counted = await ports.items.listCounted(operation.deploymentId, page);
  const sessions = counted.reduce((sum, { used }) => sum + used, work.sessions);
  const last = counted.at(-1)?.username;
  if (last !== undefined) {
    const progressAt = ports.clock.now();
    return { operation: { ...operation, progressAt, work: { step: 'count', after: last, sessions } } };
  }
  // A walk over a whole deployment goes by usernames that count sessions, and leaves tombstones alone.
  return { operation: { ...operation, total: sessions, work: kickingAllBefore(ports, 'none') } };
}

/** Again and again until a whole look finds nothing: what was still under way may have written behind the last one. */
async function removeOn(ports: WorkerPorts, operation: Operation, work: Work & { step: 'remove' }): Promise<Step> {
  const { deploymentId, tenantId } = operation;
  const { removed, next } = await ports.items.removeSome(deploymentId, work.from);
  const found = work.found + removed;
  const progressAt = ports.clock.now();
  if (next !== undefined)
    return { operation: { ...operation, progressAt, work: { step: 'remove', from: next, found } } };
  if (found > 0) return { operation: { ...operation, progressAt, work: { step: 'remove', found: 0 } } };
  await ports.items.removeDeployment(deploymentId, tenantId);
  return { operation: { ...operation, progressAt, status: 'done' } };
}
