// Reports of the front door on their way into the table, and the CONNECTs that wait for them. A client that comes again
// right after its CONNACK then meets its own connection, not an attempt, which only time could tell from the new one (S10).
// On AWS another process applies the reports, and nobody can wait there.

import type { Connect } from '../shared/domain/connect.ts';
import type { DoorReport } from '../shared/ports/presence/presence.ts';
import type { LocalQueue } from './queue.ts';

/** So long a CONNECT waits for the reports of its client id at most. */
const waitMs = 3_000;

export interface ToldFirst {
  /** Resolves when the report is in the queue. */
  readonly report: (report: DoorReport) => Promise<void>;
  readonly connect: Connect;
}

export function tellFirst(queue: Pick<LocalQueue, 'post'>, connect: Connect): ToldFirst {
  const onTheirWay = new Map<string, Promise<unknown>>();
  const nameOf = (deploymentId: string | undefined, clientId: string | undefined): string =>
    `${deploymentId}\n${clientId}`;
  return {
    async report(report) {
      const name = nameOf(report.deploymentId, report.clientId);
      const all = Promise.all([onTheirWay.get(name), queue.post(report, waitMs).handled]);
      onTheirWay.set(name, all);
      void all.then(() => {
        if (onTheirWay.get(name) === all) onTheirWay.delete(name);
      });
    },
    async connect(request) {
      await onTheirWay.get(nameOf(request.deploymentId, request.clientId));
      return connect(request);
    },
  };
}
