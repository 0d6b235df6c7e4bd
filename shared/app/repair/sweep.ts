// The sweeper: looks at everything whose time has come. Attempts whose lease is over are proven (S12), expired
// sessions are freed (S10, S11, S13), what died halfway is finished (I7). Whatever it does may be done twice.
//
// It lists what is due first, past whatever fails, and then works on it: usernames and leases side by side, because
// leases wait for the broker; leases of the deployments in turn; of a username with very many expired sessions a slice,
// and the next when all others have had theirs.

import { wakePartitions } from '../../config/constants.ts';
import { freeSession } from '../../domain/session/outcome.ts';
import { isLive, pendingOf } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Measures } from '../../ports/common/metrics.ts';
import type { Wake } from '../../ports/repair/due.ts';
import { takeTurns } from '../common/fair-choice.ts';
import { sideBySide } from '../common/side-by-side.ts';
import { change } from '../presence/change.ts';
import type { LifeCyclePorts } from '../presence/step.ts';
import { sweepRoster } from './sweep-roster.ts';

export interface Swept {
  readonly leases: number;
  readonly rosters: number;
  /** Expired sessions freed. */
  readonly freed: number;
  /** Places without a session taken out, and sessions without a place counted. */
  readonly drift: number;
  /** How far behind the oldest thing looked at was. */
  readonly lagMs: number;
  /** Wakes that failed and stay for the next sweep. */
  readonly failed: number;
  /** Readings of the wake index. */
  readonly pages: number;
  /** What was due and not looked at, because the time was up; at least so many. */
  readonly left: { readonly leases: number; readonly rosters: number; readonly lagMs: number };
}

export function measuresOf({ leases, freed, drift, lagMs, failed }: Swept): Partial<Measures> {
  return { LeaseChecks: leases, Freed: freed, Drift: drift, SweepLag: lagMs, SweepFailed: failed };
}

export type RosterWake = Wake & { readonly kind: 'roster' };
type LeaseWake = Wake & { readonly kind: 'lease' };

/** Entries of the wake index in one reading. */
const usualPage = 1_000;
const rostersAtOnce = 16;
const leasesAtOnce = 8;

/** One sweep. `shouldStop` is asked between any two wakes, so that a Lambda can end in time. */
export async function sweep(
  ports: LifeCyclePorts,
  shouldStop: () => boolean = () => false,
  pageSize = usualPage,
): Promise<Swept> {
  const run = new SweepRun(ports, shouldStop, pageSize);
  await run.work();
  return run.total();
}

class SweepRun {
  private readonly ports: LifeCyclePorts;
  private readonly shouldStop: () => boolean;
  private readonly pageSize: number;
  private readonly until: Ms;
  /** Partitions that may hold more, and how far each has been read. */
  private readonly unread = new Map<number, Wake | undefined>(
    Array.from({ length: wakePartitions }, (_, partition) => [partition, undefined]),
  );
  private readonly counts = { leases: 0, rosters: 0, freed: 0, drift: 0, lagMs: 0, failed: 0, pages: 0 };
  private readonly left = { leases: 0, rosters: 0, lagMs: 0 };

  constructor(ports: LifeCyclePorts, shouldStop: () => boolean, pageSize: number) {
    this.ports = ports;
    this.shouldStop = shouldStop;
    this.pageSize = pageSize;
    this.until = ports.clock.now();
  }

  async work(): Promise<void> {
    while (this.unread.size > 0 && !this.shouldStop()) {
      const wakes = await this.readWakes();
      const rosters = wakes.filter((wake) => wake.kind === 'roster');
      const leases = wakes.filter((wake) => wake.kind === 'lease');
      await Promise.all([this.sweepRosters(rosters), this.checkLeases(leases)]);
    }
    // What nobody has read is behind too.
    if (this.unread.size > 0) for (const wake of await this.readWakes()) this.leave(wake);
  }

  total(): Swept {
    return { ...this.counts, left: this.left };
  }

  /** The next page of each partition, oldest first. */
  private async readWakes(): Promise<readonly Wake[]> {
    const pages = await Promise.all(
      [...this.unread].map(async ([partition, after]) => {
        this.counts.pages++;
        try {
          const page = await this.ports.store.listWakes(partition, this.until, this.pageSize, after);
          if (page.length < this.pageSize) this.unread.delete(partition);
          else this.unread.set(partition, page.at(-1));
          return page;
        } catch {
          // The other partitions go on; the next sweep has this one.
          this.counts.failed++;
          this.unread.delete(partition);
          return [];
        }
      }),
    );
    return pages.flat().sort((a, b) => a.at - b.at);
  }

  private async sweepRosters(rosters: readonly RosterWake[]): Promise<void> {
    this.counts.rosters += rosters.length;
    let turn = rosters;
    while (turn.length > 0) {
      const again: RosterWake[] = [];
      const attend = async (wake: RosterWake): Promise<void> => {
        this.noteLag(wake);
        try {
          const swept = await sweepRoster(this.ports, wake);
          this.counts.freed += swept.freed;
          this.counts.drift += swept.drift;
          if (swept.more) again.push(wake);
        } catch {
          // The entry stays where it is; the next sweep finds it.
          this.counts.failed++;
        }
      };
      const unbegun = await sideBySide(turn, rostersAtOnce, attend, this.shouldStop);
      for (const wake of turn.slice(turn.length - unbegun)) this.leave(wake);
      turn = again;
    }
  }

  private async checkLeases(leases: readonly LeaseWake[]): Promise<void> {
    this.counts.leases += leases.length;
    const turns = takeTurns(leases, (wake) => wake.names.deploymentId);
    const attend = async (wake: LeaseWake): Promise<void> => {
      this.noteLag(wake);
      try {
        await checkLease(this.ports, wake);
      } catch {
        this.counts.failed++;
      }
    };
    const unbegun = await sideBySide(turns, leasesAtOnce, attend, this.shouldStop);
    for (const wake of turns.slice(turns.length - unbegun)) this.leave(wake);
  }

  private noteLag(wake: Wake): void {
    this.counts.lagMs = Math.max(this.counts.lagMs, this.lagOf(wake));
  }

  private leave(wake: Wake): void {
    this.left[wake.kind === 'lease' ? 'leases' : 'rosters']++;
    this.left.lagMs = Math.max(this.left.lagMs, this.lagOf(wake));
  }

  private lagOf(wake: Wake): number {
    return Math.max(0, this.ports.clock.now() - wake.at);
  }
}

/** Freed with proof, confirmed with proof, and counted on where nobody can say, at most until its upper bound. */
async function checkLease(ports: LifeCyclePorts, wake: LeaseWake): Promise<void> {
  await change(ports, wake.names, (session, now) => {
    const pending = pendingOf(session);
    if (pending === undefined || pending.until > now) return 'nothing';
    // Its time has run out as well: nobody need be asked, and it must not get in the way of who frees its username's.
    return isLive(session, now) ? 'ask the broker' : { next: freeSession(session, { owes: true }) };
  });
}
