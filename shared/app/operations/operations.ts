// Operations: work that is too long for one request, as kicking many sessions or deleting a deployment. The record exists
// because a process may die at any call: it says what is left to do, and any worker can go on with it. This folder must
// not know how a CONNECT is decided or who calls the API; it ends and frees sessions by the rules of presence.
//
// This file starts an operation. It writes the record first, makes the change that the operation follows second, and sends
// the message that wakes a worker last. A process that dies in between leaves a record that the next worker finds and
// checks.

import type { OperationId, Username } from '../../domain/ids.ts';
import { addSeconds, seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Log } from '../../ports/common/log.ts';
import type { Stored } from '../../ports/counter/sessions.ts';
import type {
  Operation,
  OperationCause,
  OperationQueue,
  OperationRef,
  OperationStore,
} from '../../ports/operations/operations.ts';
import type { Deployment } from '../../ports/settings/settings.ts';
import type { Caller } from '../settings/expected.ts';

export interface StartPorts {
  readonly operations: OperationStore;
  readonly queue: OperationQueue;
  readonly newOperationId: () => OperationId;
  readonly clock: Clock;
  readonly log: Log;
}

/** Longer than any change takes: then somebody looks what became of it. */
const firstLookSeconds = seconds(60);

type Of = Pick<Deployment, 'deploymentId' | 'tenantId'> & Pick<Operation, 'startedBy'>;

/** A kick of a username that somebody asked for, recorded as such. */
export async function startKick(
  ports: StartPorts,
  of: Of,
  username: Username,
  { actor, tenantId }: Pick<Caller, 'actor' | 'tenantId'>,
): Promise<OperationId> {
  const operation = begun(ports, of, { kind: 'kick', username }, ports.newOperationId());
  const change = { actor, tenantId, at: operation.startedAt };
  const put = await ports.operations.createOperation(operation, change);
  if (put.kind !== 'done') throw new StoreUnavailable(new Error('an operation came and went'));
  await wake(ports, operation);
  return operation.operationId;
}

/**
 * Makes a change that somebody is to be disconnected for (S21). The change is what its own answer says: if it throws, it
 * may have been made, and the operation finds out; if no worker can be woken, one is woken later.
 */
export async function changeAndEnd<T>(
  ports: StartPorts,
  of: Of,
  cause: OperationCause,
  change: () => Promise<T>,
  wasMade: (outcome: T) => boolean,
): Promise<{ readonly outcome: T; readonly operationId: OperationId | undefined }> {
  const stored = await record(ports, of, cause, ports.newOperationId());
  const outcome = await change();
  const { operationId } = stored.value;
  if (wasMade(outcome)) {
    await wake(ports, stored.value);
    return { outcome, operationId };
  }
  await drop(ports, stored);
  return { outcome, operationId: undefined };
}

/**
 * One deletion a deployment: asking again wakes it again, and begins one anew that has ended without effect.
 *
 * Invariant: a deployment that is marked has an operation that runs and is vouched for, until it is gone.
 * Race: of two that delete at once, one may be refused and take back the record that both rely on. The record is written
 * anew after the mark, so a record is taken back before that, and is made again, or not at all.
 * On crash: a record without a mark ends by itself, without effect. A mark has the running record that came first.
 */
export async function startDeletion<Refused extends { readonly kind: 'missing' | 'stale' }>(
  ports: StartPorts,
  deployment: Of,
  markDeleting: () => Promise<{ readonly kind: 'done' } | Refused>,
): Promise<{ readonly kind: 'done'; readonly operationId: OperationId } | Refused> {
  const operationId = `delete-${deployment.deploymentId}` as OperationId;
  const cause = { kind: 'deployment_deleted' } as const;
  const first = await recordRunning(ports, deployment, cause, operationId, false);
  const marked = await markDeleting();
  if (marked.kind !== 'done') {
    if (first.isNew) await drop(ports, first);
    return marked;
  }
  await recordRunning(ports, deployment, cause, operationId, true);
  await wake(ports, { tenantId: deployment.tenantId, operationId });
  return { kind: 'done', operationId };
}

/** The operation of this id, running; `certain`: vouched for as well. */
async function recordRunning(
  ports: StartPorts,
  of: Of,
  cause: OperationCause,
  operationId: OperationId,
  certain: boolean,
): Promise<Recorded> {
  for (let round = 0; round < maxRounds; round += 1) {
    const found = await record(ports, of, cause, operationId);
    const isRunning = found.value.status === 'running';
    if (isRunning && (found.value.certain || !certain)) return found;
    const value = { ...(isRunning ? found.value : begun(ports, of, cause, operationId)), certain };
    const put = await ports.operations.saveOperation(value, found);
    if (put.kind === 'done') return { value, revision: put.revision, isNew: false };
  }
  throw new StoreUnavailable(new Error('an operation kept changing'));
}

/** More than any worker changes a record between a reading and a write. */
const maxRounds = 8;

function begun(
  { clock }: StartPorts,
  { deploymentId, tenantId, startedBy }: Of,
  cause: OperationCause,
  operationId: OperationId,
): Operation {
  const now = clock.now();
  return {
    operationId,
    tenantId,
    deploymentId,
    cause,
    startedBy,
    status: 'running',
    certain: false,
    startedAt: now,
    finished: 0,
    progressAt: now,
    lookAt: addSeconds(now, firstLookSeconds),
    work: { step: 'begin' },
  };
}

type Recorded = Stored<Operation> & { readonly isNew: boolean };

/** The operation of this id, made where there is none. */
async function record(ports: StartPorts, of: Of, cause: OperationCause, operationId: OperationId): Promise<Recorded> {
  const operation = begun(ports, of, cause, operationId);
  const put = await ports.operations.createOperation(operation);
  if (put.kind === 'done') return { value: operation, revision: put.revision, isNew: true };
  if (put.current === undefined) throw new StoreUnavailable(new Error('an operation came and went'));
  return { ...put.current, isNew: false };
}

/** Never fails what it follows: an operation that nobody was woken for is found by its record. */
async function wake({ queue, log }: StartPorts, { tenantId, operationId }: OperationRef): Promise<void> {
  try {
    await queue.send({ tenantId, operationId, certain: true });
  } catch (error) {
    log.warn('no worker could be woken; the operation begins a little later', { operationId, error: String(error) });
  }
}

async function drop({ operations, log }: StartPorts, stored: Stored<Operation>): Promise<void> {
  try {
    await operations.dropOperation(stored);
  } catch (error) {
    // It finds by itself that there is nothing to do.
    log.warn('an operation without a change stays', { operationId: stored.value.operationId, error: String(error) });
  }
}

/** Enough for one look; what is left has its turn at the next. */
const lookPage = 50;
const lookAgainSeconds = seconds(120);

/** Wakes workers for operations that nobody seems to be at: a worker died, or a message was lost. Answers how many. */
export async function wakeOverdue(ports: Omit<StartPorts, 'newOperationId'>): Promise<number> {
  const { operations, queue, clock } = ports;
  let woken = 0;
  for (const ref of await operations.listOverdue(clock.now(), lookPage)) {
    const stored = await operations.readOperation(ref);
    // The index lags: somebody has it again.
    if (stored === undefined || stored.value.status !== 'running' || stored.value.lookAt > clock.now()) continue;
    // So that a queue that is behind does not fill with the same message.
    const put = await operations.saveOperation(
      { ...stored.value, lookAt: addSeconds(clock.now(), lookAgainSeconds) },
      stored,
    );
    if (put.kind === 'changed') continue;
    await queue.send(ref);
    woken += 1;
  }
  return woken;
}
