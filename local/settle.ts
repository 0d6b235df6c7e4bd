// After a restart: no connection of the last run is left. What was connected when the process ended is settled as
// disconnected at that moment, before anybody can connect again. What the last run had still to tell has been told by
// then: so an attempt that is pending now was never answered with CONNACK 0, and comes to nothing.
//
// Thousands of records take longer to write than a user waits. So a start reads them, decides, and puts the counts right.
// From then on everybody reads them as they are settled (settled-view.ts), and they are written beside the traffic. A
// process that ends in the middle of it leaves records that the next start settles the same way: the broker remembers.

import { setTimeout as wait } from 'node:timers/promises';
import { sessionKey } from '../shared/adapters/dynamodb/common/keys.ts';
import { encodeSession } from '../shared/adapters/dynamodb/presence/session-item.ts';
import type { Table } from '../shared/adapters/dynamodb/settings/settings-by-username.ts';
import { sideBySide } from '../shared/app/common/side-by-side.ts';
import { recount } from '../shared/app/counter/recount.ts';
import type { LifeCyclePorts } from '../shared/app/presence/step.ts';
import { type BrokerClientId, toBrokerClientId } from '../shared/domain/ids.ts';
import { abandonAttempt } from '../shared/domain/session/attempt.ts';
import { endSession, freeSession } from '../shared/domain/session/outcome.ts';
import { pendingOf, type Session } from '../shared/domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../shared/domain/time.ts';
import { StoreUnavailable } from '../shared/ports/common/errors.ts';
import type { Log } from '../shared/ports/common/log.ts';
import type { BrokerSays } from '../shared/ports/presence/broker.ts';
import type { Stored } from '../shared/ports/presence/sessions.ts';
import type { RankRequests } from '../shared/ports/usage/ranks.ts';
import { planCount } from './settle-counts.ts';
import { type Left, readLeft } from './settle-left.ts';
import { inBatches, type Owed, writeTogether } from './settle-writes.ts';
import type { SettledView } from './settled-view.ts';

export interface LastRun {
  readonly endedAt: Ms;
  /** The broker knows its sessions of the last run; where it does not, the records speak for themselves. */
  readonly brokerRemembers: boolean;
}

export interface SettlePorts extends LifeCyclePorts {
  /** `store` is one around this view. */
  readonly view: SettledView;
  readonly ranks: RankRequests;
  /** Hears in a sentence how far it is, more often than anybody reads. */
  readonly say: (sentence: string) => void;
  readonly log: Pick<Log, 'error'>;
}

export interface Settling {
  /** How many sessions were settled. */
  readonly settled: number;
  /** `some`: `stop` was called, or some could not be written. The next start does the rest. */
  readonly written: Promise<'all' | 'some'>;
  stop(): Promise<void>;
}

/** A transaction takes no more. */
const writesMax = 100;
/** Fewer while clients wait behind them. */
const batchBeside = 20;
const recountsAtOnce = 8;
/** What is due so soon is written before the start is over: the index that the sweeper and admissions look it up in is the table's. */
const dueSoonSeconds = seconds(30);
const retryMs = 1_000;
/** A reading that began before the last write has ended by then. */
const forgetMs = 60_000;

/** Safe to repeat, should the process end in the middle of it. */
export async function settleAfterRestart(table: Table, ports: SettlePorts, lastRun: LastRun): Promise<Settling> {
  const left = await readLeft(table, ports.say);
  const records = await settleRecords(ports, left, lastRun);
  const soon = addSeconds(ports.clock.now(), dueSoonSeconds);
  records.sort((a, b) => a.next.dueAt - b.next.dueAt);
  const isUrgent = ({ next }: Settled): boolean => next.phase.kind !== 'ended' && next.dueAt < soon;
  for (const some of inBatches(records.filter(isUrgent), writesMax)) await writeRecords(table, ports, some);
  const { later, outOfOrder } = await settleCounts(table, ports, left, soon);
  let stopped = false;
  const owed = { counts: later, records: records.filter((one) => !isUrgent(one)) };
  const written = writeBeside(table, ports, owed, () => stopped).then(async (what) => {
    for (const { deploymentId, username } of outOfOrder) if (!stopped) await ports.ranks.ask(deploymentId, username);
    // What is not written yet is read as settled for as long as this process runs.
    if (what === 'all') setTimeout(() => ports.view.forget(), forgetMs).unref();
    return what;
  });
  return {
    settled: records.length,
    written,
    async stop() {
      stopped = true;
      await written;
    },
  };
}

interface Settled {
  readonly before: Stored<Session>;
  readonly next: Session;
}

async function settleRecords(ports: SettlePorts, left: readonly Left[], lastRun: LastRun): Promise<Settled[]> {
  const settled: Settled[] = [];
  const shared = findShared(left);
  for (const { sessions } of left) {
    for (const stored of sessions) {
      const { value } = stored;
      if (!isUnsettled(value)) continue;
      const isAnothers = shared.has(brokerIdOf(value)) && !(await isOwn(ports, value));
      // Of a client id that has changed hands it speaks for whoever holds it now.
      const says: BrokerSays = isAnothers ? { kind: 'unknown' } : await askBroker(ports, value, lastRun);
      ports.view.settle(stored, settle(value, says, lastRun.endedAt, ports.clock.now()));
      settled.push({ before: stored, next: ports.view.read(stored).value });
      // The broker may have taken an attempt whose CONNACK 0 came no further than the front door. Nobody knows of that
      // session, so nobody shall have it; unless it is that of another username, which has the client id.
      if (value.phase.kind === 'new' && says.kind === 'unknown' && !isAnothers)
        await ports.broker.deleteConnection(brokerIdOf(value), { cleanSession: true });
    }
  }
  return settled;
}

const brokerIdOf = ({ deploymentId, clientId }: Session): BrokerClientId => toBrokerClientId(deploymentId, clientId);

/** Client ids with records of several usernames. */
function findShared(left: readonly Left[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { sessions } of left)
    for (const { value } of sessions) {
      const id = brokerIdOf(value);
      if (seen.has(id)) shared.add(id);
      seen.add(id);
    }
  return shared;
}

function isUnsettled(session: Session): boolean {
  return session.phase.kind === 'connected' || pendingOf(session) !== undefined;
}

/**
 * Of connections, of attempts that overlapped, and of those that were counted after they had been answered, the broker
 * knows what became.
 */
async function askBroker(ports: SettlePorts, session: Session, lastRun: LastRun): Promise<BrokerSays> {
  const { phase, ambiguity, recounted } = session;
  const worthIt = phase.kind === 'connected' || ambiguity !== 'none' || recounted;
  if (!lastRun.brokerRemembers || !worthIt) return { kind: 'unknown' };
  return ports.broker.getConnection(brokerIdOf(session));
}

async function isOwn(ports: SettlePorts, { deploymentId, clientId, username }: Session): Promise<boolean> {
  const owner = await ports.store.readOwner(deploymentId, clientId);
  return owner === undefined || owner.value.username === username;
}

function settle(session: Session, says: BrokerSays, endedAt: Ms, now: Ms): Session {
  if (says.kind === 'absent') return freeSession(session);
  if (says.kind === 'retained') {
    const at = says.disconnectedAt ?? endedAt;
    return endSession(session, { at, expirySeconds: says.expirySeconds ?? session.expirySeconds }, now);
  }
  if (session.phase.kind === 'connected') {
    const ending = session.phase.ending ?? { at: endedAt, expirySeconds: session.expirySeconds };
    return endSession(session, ending, now);
  }
  return abandonAttempt(session, now);
}

interface Counted {
  /** Writes that may follow. */
  readonly later: readonly Owed<Left>[];
  /** Usernames whose rank may be another one now. What was asked for when the last run ended has gone with it. */
  readonly outOfOrder: readonly Left[];
}

async function settleCounts(table: Table, ports: SettlePorts, left: readonly Left[], soon: Ms): Promise<Counted> {
  const owed: Owed<Left>[] = [];
  const later: Owed<Left>[] = [];
  const recounts: Left[] = [];
  const outOfOrder: Left[] = [];
  for (const one of left) {
    const sessions = one.sessions.map((stored) => ports.view.read(stored).value);
    const plan = planCount(table.tableName, one.roster, sessions, soon);
    if (plan === 'recount') recounts.push(one);
    else if (plan !== 'agrees') (plan.canWait ? later : owed).push({ of: one, write: plan.write });
    const used = sessions.filter(({ phase }) => phase.kind !== 'ended').length;
    if (plan === 'recount' || used !== one.ranked) outOfOrder.push(one);
  }
  let done = 0;
  const say = (): void => ports.say(`settles the counts: ${done} of ${owed.length + recounts.length} usernames`);
  say();
  for (const some of inBatches(owed, writesMax)) {
    recounts.push(...(await writeTogether(table, some)));
    done += some.length;
    say();
  }
  const failures: unknown[] = [];
  await sideBySide(recounts, recountsAtOnce, async (one) => {
    await recountLeft(ports, one).catch((error: unknown) => failures.push(error));
    done++;
    say();
  });
  if (failures.length > 0) throw failures[0];
  return { later, outOfOrder };
}

/** Nobody has written its sessions since they were read, and ten thousand of them are not read twice. */
async function recountLeft(ports: SettlePorts, { deploymentId, username, sessions }: Left): Promise<void> {
  const listSessions = async () => ({ items: sessions.map(ports.view.read), more: false });
  await recount({ ...ports, store: { ...ports.store, listSessions } }, deploymentId, username);
}

/**
 * Invariant: I2: the counts have been put right for these records, so a record is all that moves here.
 * Race: whoever wrote a record since it was read had read it as settled; the write is refused and the record stays.
 * On crash: the next start settles those that are left.
 */
async function writeRecords(table: Table, { random }: SettlePorts, records: readonly Settled[]): Promise<void> {
  const writes = records.map(({ before, next }) => ({
    of: before,
    write: {
      Put: {
        TableName: table.tableName,
        Item: {
          ...encodeSession(next, random.revision()),
          ...sessionKey(next.deploymentId, next.username, next.clientId),
        },
        ConditionExpression: 'rev = :rev',
        ExpressionAttributeValues: { ':rev': before.revision },
      },
    },
  }));
  await writeTogether(table, writes);
}

/** The counts first: of those a refused one has been moved by a client since, and is put right in the usual way. */
async function writeBeside(
  table: Table,
  ports: SettlePorts,
  owed: { readonly counts: readonly Owed<Left>[]; readonly records: readonly Settled[] },
  shouldStop: () => boolean,
): Promise<'all' | 'some'> {
  const steps = [
    ...inBatches(owed.counts, batchBeside).map((some) => async () => {
      for (const { deploymentId, username } of await writeTogether(table, some))
        await recount(ports, deploymentId, username);
    }),
    ...inBatches(owed.records, batchBeside).map((some) => () => writeRecords(table, ports, some)),
  ];
  let what: 'all' | 'some' = 'all';
  for (const step of steps) if ((await carryOut(step, ports.log, shouldStop)) === 'left') what = 'some';
  return what;
}

/** While the database does not answer it is tried again: the engine may be started anew. */
async function carryOut(
  step: () => Promise<void>,
  log: Pick<Log, 'error'>,
  shouldStop: () => boolean,
): Promise<'done' | 'left'> {
  while (!shouldStop()) {
    try {
      await step();
      return 'done';
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) {
        log.error('records of the last run are left to the next start', { error: String(error) });
        return 'left';
      }
    }
    await wait(retryMs, undefined, { ref: false });
  }
  return 'left';
}
