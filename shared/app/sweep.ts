// The sweeper: looks at everything whose time has come. Attempts whose lease is over are proven (S12), expired
// sessions are freed (S10, S11, S13), what died halfway is finished (I7). Whatever it does may be done twice.

import { wakePartitions } from '../config/constants.ts';
import type { DeploymentId, Username } from '../domain/ids.ts';
import { addSeconds, type Ms, seconds } from '../domain/time.ts';
import type { Wake } from '../ports/sessions.ts';
import { freeExpired } from './free.ts';
import { change, type LifeCyclePorts } from './life-cycle.ts';
import { recount } from './recount.ts';

export interface Swept {
  readonly leases: number;
  readonly rosters: number;
  /** Expired sessions freed. */
  readonly freed: number;
  /** Places found without a session and taken out. */
  readonly drift: number;
  /** How far behind the oldest thing looked at was. */
  readonly lagMs: number;
  /** Wakes that failed and stay for the next sweep. */
  readonly failed: number;
}

const pageSize = 50;
const freePage = 25;
/** A roster of up to so many places is recounted whenever it wakes, a larger one in so much fewer of the minutes. */
const recountUpTo = 128;
const idleSeconds = seconds(3_600);

/** One sweep. `shouldStop` is asked between pages, so that a Lambda can end in time; what is left comes next minute. */
export async function sweep(ports: LifeCyclePorts, shouldStop: () => boolean = () => false): Promise<Swept> {
  const total = { leases: 0, rosters: 0, freed: 0, drift: 0, lagMs: 0, failed: 0 };
  // Begins elsewhere each time, so that what ends a sweep early does not always starve the same partitions.
  const first = Math.floor(ports.clock.now() / 1_000) % wakePartitions;
  for (let turn = 0; turn < wakePartitions; turn++) {
    const partition = (first + turn) % wakePartitions;
    // A page that changed nothing would come back as it is: the next sweep has it.
    for (let pages = 0; pages < 200 && !shouldStop(); pages++) {
      const wakes = await ports.store.listWakes(partition, ports.clock.now(), pageSize);
      const results = await Promise.all(wakes.map((wake) => attend(ports, wake)));
      for (const result of results) {
        total.freed += result.freed;
        total.drift += result.drift;
        total.failed += result.failed;
        total.lagMs = Math.max(total.lagMs, result.lagMs);
      }
      total.leases += wakes.filter((wake) => wake.kind === 'lease').length;
      total.rosters += wakes.filter((wake) => wake.kind === 'roster').length;
      if (wakes.length < pageSize || results.every((result) => result.failed > 0)) break;
    }
  }
  return total;
}

interface Attended {
  readonly freed: number;
  readonly drift: number;
  readonly lagMs: number;
  readonly failed: 0 | 1;
}

async function attend(ports: LifeCyclePorts, wake: Wake): Promise<Attended> {
  try {
    if (wake.kind === 'lease') {
      await checkLease(ports, wake);
      return { freed: 0, drift: 0, lagMs: 0, failed: 0 };
    }
    const lagMs = Math.max(0, ports.clock.now() - wake.at);
    return { ...(await sweepRoster(ports, wake.deploymentId, wake.username)), lagMs, failed: 0 };
  } catch {
    // The entry stays where it is; the next sweep finds it.
    return { freed: 0, drift: 0, lagMs: 0, failed: 1 };
  }
}

/** Freed with proof, confirmed with proof, and counted on where nobody can say, at most until its upper bound. */
async function checkLease(ports: LifeCyclePorts, wake: Wake & { kind: 'lease' }): Promise<void> {
  await change(ports, wake.names, (session, now) => {
    if (session.holding === 'freed' || session.leaseUntil === undefined || session.leaseUntil > now) return 'nothing';
    return 'ask the broker';
  });
}

/** Frees a username's expired sessions and says when to look again. */
async function sweepRoster(
  ports: LifeCyclePorts,
  deploymentId: DeploymentId,
  username: Username,
): Promise<{ freed: number; drift: number }> {
  const { store, clock } = ports;
  const before = await store.readRoster(deploymentId, username);
  const now = clock.now();
  if (before.wakeAt === undefined || before.wakeAt > now) return { freed: 0, drift: 0 };
  let freed = 0;
  for (let pages = 0; pages < 400; pages++) {
    const page = await freeExpired(ports, deploymentId, username, { limit: freePage });
    freed += page.freed;
    if (!page.more) break;
  }
  const next = (await store.nextDue(deploymentId, username)) ?? addSeconds(now, idleSeconds);
  if (next > now) await store.moveWake(deploymentId, username, before.wakeAt, next);
  // Looked at once more after the wake was moved: whoever shortens a session writes it first and lowers the wake
  // second, so that one of the two sees the other.
  const { removed, firstDue } = isRecountDue(before.used, now)
    ? await recount(store, deploymentId, username)
    : { removed: 0, firstDue: await store.nextDue(deploymentId, username) };
  if (firstDue !== undefined && firstDue < next) await store.lowerWake(deploymentId, username, firstDue);
  if (before.used <= removed) await store.removeEmptyRoster(deploymentId, username);
  return { freed, drift: removed };
}

function isRecountDue(used: number, now: Ms): boolean {
  return Math.floor(now / 60_000) % Math.max(1, Math.ceil(used / recountUpTo)) === 0;
}
