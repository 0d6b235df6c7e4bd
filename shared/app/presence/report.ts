// The front door's reports. It names the attempt, and tells the expiry where a packet told it.

import { findAttempt } from '../../domain/session/attempts.ts';
import type { Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import type { Broker, BrokerSays } from '../../ports/presence/broker.ts';
import type { DoorReport } from '../../ports/presence/presence.ts';
import type { AccountExpiry } from './account-expiry.ts';
import { change } from './change.ts';
import { readReport } from './read-report.ts';
import type { Applied, LifeCyclePorts } from './step.ts';

export interface ReportPorts extends LifeCyclePorts {
  /** Without it the broker is asked at every end of a persistent session of MQTT 3. */
  readonly accountExpiry?: AccountExpiry;
}

export async function applyDoorReport(ports: ReportPorts, report: DoorReport): Promise<Applied> {
  if (report.uncounted === true) {
    const seen = await ports.store.readSession(report);
    if (isAwaited(seen?.value, report, ports.clock.now())) return 'later';
  }
  if (report.type === 'door.disconnected' && report.expiryIsAccounts === true) return applyAccountsEnd(ports, report);
  return change(ports, report, (session, now) => readReport(session, report, ports, now));
}

/** The end of a persistent session of MQTT 3: for how long it is kept is the account's one number (S10). */
async function applyAccountsEnd(
  ports: ReportPorts,
  report: DoorReport & { readonly type: 'door.disconnected' },
): Promise<Applied> {
  const { accountExpiry } = ports;
  const { expiryIsAccounts: _, ...told } = report;
  const expirySeconds = await accountExpiry?.expiryOf(report.attempt);
  const known: DoorReport = expirySeconds === undefined ? report : { ...told, expirySeconds };
  let says: BrokerSays | undefined;
  const listening: Broker = {
    ...ports.broker,
    getConnection: async (id) => {
      says = await ports.broker.getConnection(id);
      return says;
    },
  };
  const heard = { ...ports, broker: listening };
  const applied = await change(heard, report, (session, now) => readReport(session, known, heard, now));
  if (says !== undefined && accountExpiry !== undefined)
    await accountExpiry.learn(report.attempt, says, (await ports.store.readSession(report))?.value);
  return applied;
}

/** For as long as a queue goes on delivering a message that is not taken. */
const awaitedSeconds = seconds(600);

/** A report of an attempt that is not counted yet: its own message comes, and without it this one would find nothing. */
function isAwaited(session: Session | undefined, report: DoorReport, now: Ms): boolean {
  if (addSeconds(report.at, awaitedSeconds) < now) return false;
  if (session === undefined) return true;
  return findAttempt(session, report.attempt) === undefined && session.attempts[0].admittedAt <= report.at;
}
