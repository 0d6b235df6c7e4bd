import type { Log } from '../../shared/ports/common/log.ts';

/** For tests that look at what is done, not at what is told. */
export const quietLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
