// Threshold notices as lines of the log, for the local run.

import type { Log } from '../../ports/log.ts';
import type { Notices } from '../../ports/notices.ts';

export function createLogNotices(log: Pick<Log, 'warn'>): Notices {
  return {
    async tell({ at, ...notice }) {
      log.warn('session threshold', { ...notice, at: new Date(at).toISOString() });
    },
  };
}
