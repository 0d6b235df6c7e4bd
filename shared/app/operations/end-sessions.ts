// Ending many sessions, page by page: those of one username, or of a whole deployment. A pass goes over all of them in an
// order that stays; passes are repeated until one finds nothing left. So nobody is missed who could not be ended at
// once, or was admitted while it went on.

import type { AttemptId, ClientId, DeploymentId, Place, Username } from '../../domain/ids.ts';
import { isLive, isTombstone, type Session, type Voucher } from '../../domain/session/record.ts';
import { seconds } from '../../domain/time.ts';
import type { Operation, PassedBy, Work } from '../../ports/operations/operations.ts';
import { recount } from '../counter/recount.ts';
import { type Kicked, kickClient, kickTombstone } from './kick.ts';
import { type Step, stillHolds, type WorkerPorts } from './operation-step.ts';

type Kicking = Work & { readonly step: 'kick' };

const pageSize = 50;
/** An attempt on its way to the broker is over soon; a broker that is overloaded, perhaps. */
const nextPassSeconds = seconds(5);
/** Attempts that are remembered; beyond so many, one that comes back may be kicked a second time. */
const kickedMax = 500;

/** One page, or the end of a pass. */
export async function kickOn(ports: WorkerPorts, operation: Operation, before: Kicking): Promise<Step> {
  const begins = before.passedBy.username === undefined;
  // Unblocked, or no longer suspended: whoever is left may stay.
  if (begins && !(await stillHolds(ports, operation))) return { operation: { ...operation, status: 'done' } };
  const work = begins ? { ...before, passBegan: ports.clock.now() } : before;
  const username = usernameOf(operation) ?? (await usernameAt(ports, operation.deploymentId, work.passedBy));
  if (username === undefined || (work.passedBy.whole === true && usernameOf(operation) !== undefined))
    return endPass(ports, operation, work);

  const plan = work.until === undefined ? await ports.operations.readPlan(operation) : undefined;
  const after = work.passedBy.username === username ? work.passedBy.clientId : undefined;
  const page = await ports.store.listSessions(operation.deploymentId, username, {
    limit: pageSize,
    ...(after === undefined ? {} : { after }),
  });
  const now = ports.clock.now();
  const sessions = page.items.map(({ value }) => value);
  const cameByRefused = await readRefused(ports, operation, sessions);
  const concerns = cameByRefused ?? ((session: Session) => isMeant(session, work, plan));
  const meant = sessions.filter((session) => isLive(session, now) && concerns(session));
  const isFirst = work.tombstones.toReach === 'all';
  const over = work.tombstones.toReach !== 'none' ? sessions.filter((session) => isTombstone(session, now)) : [];
  const [kicked, reached] = await Promise.all([
    Promise.all(
      meant.map(({ deploymentId, clientId, username: of }) =>
        kickClient(ports, deploymentId, clientId, of, cameByRefused),
      ),
    ),
    Promise.all(over.map((session) => kickTombstone(ports, session))),
  ]);
  // A worker that died may have ended a session of the plan and not said so: the plan counts it, and nothing else does.
  const isOther = (session: Session | undefined): boolean => session !== undefined && plan?.has(session.place) !== true;
  const others = reached.filter((_, n) => isOther(over[n]));
  const tombstones = noteReached(work.tombstones, reached, others);

  const ended = kicked.filter(({ kind }) => kind === 'ended' || kind === 'nothing').length;
  const remembered = { ...work.kicked };
  for (const [n, { kind, attempt }] of kicked.entries()) {
    const clientId = meant[n]?.clientId;
    if ((kind === 'pending' || kind === 'returned') && clientId !== undefined && attempt !== undefined)
      remember(remembered, clientId, attempt);
  }
  const last = page.items.at(-1)?.value.clientId;
  const passedBy: PassedBy = page.more && last !== undefined ? { username, clientId: last } : { username, whole: true };
  const left = work.left + kicked.filter(({ kind }) => staysFor(kind, plan)).length;
  const livesEnded =
    plan === undefined
      ? operation.finished - work.tombstones.reached + ended
      : await countEnded(ports, operation, username, plan, work.tombstones.reached);
  const finished = livesEnded + tombstones.reached;
  // Of a walk that looks for a few among many, getting on is progress; of one that looks again for what was left, it is not.
  const isProgress = finished > operation.finished || (cameByRefused !== undefined && work.again !== true);
  const found = isFirst ? others.length : 0;
  return {
    operation: {
      ...operation,
      finished,
      ...(operation.total === undefined ? {} : { total: Math.max(operation.total + found, finished) }),
      progressAt: isProgress ? ports.clock.now() : operation.progressAt,
      work: { ...work, passedBy, left, kicked: plan === undefined ? {} : remembered, tombstones },
    },
  };
}

function noteReached(
  before: Kicking['tombstones'],
  kicked: readonly Kicked[],
  counted: readonly Kicked[],
): Kicking['tombstones'] {
  const left = kicked.filter(({ kind }) => kind === 'unavailable').length;
  const more = before.toReach === 'all' ? counted.filter(({ kind }) => kind !== 'unavailable').length : 0;
  return { ...before, reached: before.reached + more, left: before.left + left };
}

/**
 * Of a plan: the lives that were counted when it was made, also if they have reconnected since, but not if that was
 * after they were kicked. Otherwise: whoever was admitted before the change held everywhere.
 */
function isMeant(session: Session, work: Kicking, plan: ReadonlySet<Place> | undefined): boolean {
  if (plan === undefined) return work.until !== undefined && session.attempts[0].admittedAt <= work.until;
  const before = work.kicked[session.clientId];
  return plan.has(session.place) && (before === undefined || before === session.attempts[0].id);
}

/**
 * Whether a session may have come by a key that is not accepted now, where that is what the operation ends. Read anew for
 * each page: a key that is accepted again ends nothing more.
 */
async function readRefused(
  ports: WorkerPorts,
  { cause, deploymentId }: Operation,
  sessions: readonly Session[],
): Promise<((session: Session) => boolean) | undefined> {
  if (cause.kind !== 'token_issuer_changed') return undefined;
  if (sessions.every(({ signedBy }) => signedBy === undefined)) return () => false;
  const issuer = await ports.issuers.getTokenIssuer(deploymentId);
  const accepted: ReadonlySet<Voucher> = issuer === undefined ? new Set() : ports.signersOf(issuer);
  return ({ signedBy = [] }) => signedBy.some((one) => one !== 'password' && !accepted.has(one));
}

/** Whether it is to be looked at again: one that came back after its kick has a right to stay only under a plan. */
function staysFor(kind: Kicked['kind'], plan: ReadonlySet<Place> | undefined): boolean {
  return kind === 'pending' || kind === 'unavailable' || (kind === 'returned' && plan === undefined);
}

function remember(kicked: Record<string, AttemptId>, clientId: ClientId, attempt: AttemptId): void {
  if (Object.keys(kicked).length < kickedMax || clientId in kicked) kicked[clientId] = attempt;
}

/** Exact whenever it is read: of the places planned, those that count no more. */
async function countEnded(
  ports: WorkerPorts,
  operation: Operation,
  username: Username,
  plan: ReadonlySet<Place>,
  tombstonesReached: number,
): Promise<number> {
  const { places } = await ports.store.readRoster(operation.deploymentId, username);
  let ended = 0;
  for (const place of plan) if (!places.has(place)) ended += 1;
  return Math.max(operation.finished - tombstonesReached, ended);
}

/**
 * What a whole pass found nothing to kick for is over, but for places that still count: of those that came back, and of
 * those that belong to no session. The latter are taken out here, as no session leads a kick to them.
 */
async function countFinished(ports: WorkerPorts, operation: Operation, work: Kicking): Promise<number> {
  const { deploymentId, total } = operation;
  const username = usernameOf(operation);
  if (total === undefined || username === undefined) return operation.finished;
  const plan = work.until === undefined ? await ports.operations.readPlan(operation) : undefined;
  const countLeft = async (): Promise<number> => {
    if (plan === undefined) return 0;
    const { places } = await ports.store.readRoster(deploymentId, username);
    return [...plan].filter((place) => places.has(place)).length;
  };
  if (plan !== undefined && (await countLeft()) === 0) return total;
  await recount(ports, deploymentId, username);
  return total - (await countLeft());
}

function usernameOf({ cause }: Operation): Username | undefined {
  return 'username' in cause ? cause.username : undefined;
}

/** The username whose turn it is in a pass over a deployment; undefined at its end. */
async function usernameAt(ports: WorkerPorts, id: DeploymentId, passedBy: PassedBy): Promise<Username | undefined> {
  const { username, whole } = passedBy;
  if (username !== undefined && whole !== true) return username;
  const [next] = await ports.items.listCounted(id, {
    limit: 1,
    ...(username === undefined ? {} : { after: username }),
  });
  return next?.username;
}

async function endPass(ports: WorkerPorts, operation: Operation, work: Kicking): Promise<Step> {
  const now = ports.clock.now();
  const { again: _a, ...kept } = work;
  const { until, passBegan, tombstones } = work;
  const left = work.left + tombstones.left;
  const whole = until === undefined || passBegan > until;
  if (left === 0 && whole) {
    if (usernameOf(operation) === undefined) {
      // More or fewer of a whole deployment may have come to an end than there were when it was counted.
      const ended = { ...operation, total: operation.finished };
      if (operation.cause.kind === 'deployment_deleted')
        return { operation: { ...ended, progressAt: now, work: { step: 'remove', found: 0 } } };
      return { operation: { ...ended, status: 'done' } };
    }
    return { operation: { ...operation, status: 'done', finished: await countFinished(ports, operation, work) } };
  }
  // Or not before the last who may still have been admitted by what held before the change.
  const after = left > 0 || whole ? nextPassSeconds : seconds(Math.floor(Math.max(0, until - now) / 1_000) + 1);
  const next = { ...tombstones, toReach: tombstones.left > 0 ? 'again' : 'none', left: 0 } as const;
  const again = left > 0 ? { again: true as const } : {};
  return { operation: { ...operation, work: { ...kept, ...again, passedBy: {}, left: 0, tombstones: next } }, after };
}
