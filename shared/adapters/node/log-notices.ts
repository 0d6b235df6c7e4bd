// Threshold notices as lines of the log, for the local run.

import type { Log } from '../../ports/common/log.ts';
import type { Notices } from '../../ports/usage/notices.ts';

const sentences = {
  set: 'a username has come near its session limit',
  clear: 'a username is no longer near its session limit',
} as const;

export function createLogNotices(log: Pick<Log, 'warn'>): Notices {
  return {
    async tell({ at, ...notice }) {
      log.warn(sentences[notice.state], { ...notice, at: new Date(at).toISOString() });
    },
  };
}
