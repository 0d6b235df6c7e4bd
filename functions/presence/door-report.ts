// A front door's report as it comes out of the queue. Only the front door and the rule may write there; it is read
// strictly all the same.

import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence.ts';
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
  if (typeof report.expirySeconds !== 'number') throw new TypeError('malformed report: expirySeconds is a number');
  // A client may ask for more in its DISCONNECT than any broker keeps.
  return {
    ...common,
    type,
    expirySeconds: seconds(Math.min(Math.max(0, report.expirySeconds), sessionExpirySecondsMax)),
  };
}
