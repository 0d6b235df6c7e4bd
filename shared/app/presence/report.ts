// Applies a report of the front door. A report names its attempt, and tells the expiry where a packet told it.

import { findAttempt } from '../../domain/session/attempts.ts';
import type { Session } from '../../domain/session/record.ts';
import { addSeconds, type Ms, seconds } from '../../domain/time.ts';
import type { Broker, BrokerSays } from '../../ports/presence/broker.ts';
import type { DoorReport } from '../../ports/presence/presence.ts';
import type { AccountExpiry } from './account-expiry.ts';
import { change } from './change.ts';
import { createHeld, type Held } from './held.ts';
import { readReport } from './read-report.ts';
import type { Applied, LifeCyclePorts } from './step.ts';

export interface ReportPorts extends LifeCyclePorts {
  /** Absent: presence asks the broker at every end of a persistent session of MQTT 3. */
  readonly accountExpiry?: AccountExpiry;
}

export async function applyDoorReport(
  ports: ReportPorts,
  report: DoorReport,
  held: Held = createHeld(ports.store),
): Promise<Applied> {
  if (report.uncounted === true) {
    const seen = await held.session(report);
    if (isAwaited(seen?.value, report, ports.clock.now())) return 'later';
  }
  if (report.type === 'door.disconnected' && report.expiryIsAccounts === true)
    return applyAccountsEnd(ports, report, held);
  return change(ports, report, (session, now) => readReport(session, report, ports, now), held);
}

/** The end of a persistent session of MQTT 3: the account's one number says how long it is kept (S10). */
async function applyAccountsEnd(
  ports: ReportPorts,
  report: DoorReport & { readonly type: 'door.disconnected' },
  held: Held,
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
  const applied = await change(heard, report, (session, now) => readReport(session, known, heard, now), held);
  if (says !== undefined && accountExpiry !== undefined)
    await accountExpiry.learn(report.attempt, says, (await ports.store.readSession(report))?.value);
  return applied;
}

/** As long as a queue delivers a message again that was answered `later`. */
const awaitedSeconds = seconds(600);

/** The message of an uncounted admission is still to come: before it, this report would find no attempt. */
function isAwaited(session: Session | undefined, report: DoorReport, now: Ms): boolean {
  if (addSeconds(report.at, awaitedSeconds) < now) return false;
  if (session === undefined) return true;
  return findAttempt(session, report.attempt) === undefined && session.attempts[0].admittedAt <= report.at;
}
