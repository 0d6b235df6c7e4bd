// A front door's report as it comes out of the queue. Only the front door and the rule may write there; it is read
// strictly all the same.

import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import { type Seconds, seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import { fieldsOf, parseAttemptFields } from './message.ts';

const types = ['door.connected', 'door.disconnected', 'door.failed'] as const;

/** Undefined: not a front door's report. Throws where it says to be one and is not. */
export function parseDoorReport(body: unknown): DoorReport | undefined {
  const report = fieldsOf(body);
  const type = types.find((one) => one === report?.type);
  if (report === undefined || type === undefined) return undefined;
  const common = {
    ...parseAttemptFields(report, 'report'),
    ...(report.uncounted === true ? { uncounted: true as const } : {}),
  };
  if (type === 'door.failed') return { ...common, type, ...(report.unsent === true ? { unsent: true as const } : {}) };
  const expirySeconds = readSeconds(report.expirySeconds, 'expirySeconds');
  if (type === 'door.connected') return { ...common, type, expirySeconds };
  return {
    ...common,
    type,
    expirySeconds,
    ...(report.changedToSeconds === undefined
      ? {}
      : { changedToSeconds: readSeconds(report.changedToSeconds, 'changedToSeconds') }),
    ...(report.expiryIsAccounts === true ? { expiryIsAccounts: true as const } : {}),
  };
}

/** Cut to what any broker keeps: a DISCONNECT may ask for more. */
function readSeconds(value: unknown, name: string): Seconds {
  if (typeof value !== 'number') throw new TypeError(`malformed report: ${name} is a number`);
  return seconds(Math.min(Math.max(0, value), sessionExpirySecondsMax));
}
