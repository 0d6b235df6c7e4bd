// The whole product in one process tree: engine, broker, front door, the real handlers, the API. What runs here is
// what runs on AWS, less AWS: the queue, the broker and the timer stand for SQS, IoT Core and the schedule.

import type { Duplex } from 'node:stream';
import type { reconcile } from '../shared/app/repair/reconcile.ts';
import type { sweep } from '../shared/app/repair/sweep.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';
import { startBackground } from './background.ts';
import type { LocalConfig } from './config.ts';
import { openData, tableName } from './data.ts';
import { openEdges } from './edges.ts';
import type { Faults } from './faults.ts';
import { startLocalOperations } from './operations.ts';
import { startProgress } from './progress.ts';
import { createMeters } from './prometheus.ts';
import { startSessions } from './sessions.ts';
import { type Settling, settleAfterRestart } from './settle.ts';
import { Shutdown } from './shutdown.ts';

export interface ProductOptions {
  readonly config: LocalConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Presence events duplicated, late, out of order. */
  readonly presenceFaults?: Faults;
  /** Sees what the broker tells of connections, besides the presence queue. Must not throw. */
  readonly onPresence?: (event: object) => void;
  /** Messages of the presence queue, once they are in it, duplicated, late, out of order. */
  readonly queueFaults?: Omit<Faults, 'drop'>;
  /** The folder of the built console, when it is built; the start does not wait for it. Absent: it is not served. */
  readonly consoleFolder?: Promise<string>;
  /** The engine died and does not come back as it was, and nothing works without it. */
  readonly onFailure?: (problem: string) => void;
  /** Told at start: what is wrong, and does not keep the product from running. */
  readonly onWarning?: (problem: string) => void;
  /** Told once a second while a start takes its time: what it is at. */
  readonly onProgress?: (sentence: string) => void;
}

export interface Product {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
  readonly databaseEndpoint: string;
  /** Takes a client past the front door, as IoT Core takes a device that goes straight to it. No port leads there. */
  acceptStraight(stream: Duplex, ipAddress: string): void;
  /** Runs the sweeper now. */
  sweep(): ReturnType<typeof sweep>;
  /** Runs the reconciler now. */
  reconcile(): ReturnType<typeof reconcile>;
  /** Resolves when every presence message has been applied. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

export async function startProduct(options: ProductOptions): Promise<Product> {
  const shutdown = new Shutdown();
  try {
    return await start(options, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function start(options: ProductOptions, shutdown: Shutdown): Promise<Product> {
  const { clock, log } = options;
  const startedAt = clock.now();
  const meters = createMeters();
  const data = await openData({ ...options, meters, shutdown });
  const sessions = await startSessions({ ...options, data, shutdown });
  const { dataDir, client, apiClient, api } = data;
  const { lifeCycle, queue, broker, brokerJournal, rankRequests, view } = sessions;
  const progress = startProgress((sentence) => options.onProgress?.(sentence));
  shutdown.add(() => progress.end());
  // First what the last run had still to tell, then what it could not know: that it would end.
  await queue.resume((left) => progress.note(`applies what the last run had still to tell: ${left} messages left`));
  let settling: Settling | undefined;
  if (dataDir.lastAliveAt !== undefined) {
    const lastRun = { endedAt: dataDir.lastAliveAt, brokerRemembers: brokerJournal.found !== undefined };
    const ports = { ...lifeCycle, view, ranks: rankRequests, say: progress.note, log };
    settling = await settleAfterRestart({ client, tableName }, ports, lastRun);
    log.info('sessions of the last run settled', { settled: settling.settled });
  }
  progress.end();
  const written = settling?.written ?? Promise.resolve('all');
  void written.then((what) => {
    if (what === 'all') dataDir.settled();
  });
  const operations = startLocalOperations({ client: apiClient, tableName, lifeCycle, ...api, log });
  shutdown.add(() => operations.stop());
  const { sweepNow, reconcileNow, fetcher } = startBackground({
    ...options,
    data,
    sessions,
    operations,
    meters,
    shutdown,
    startedAt,
    settled: written,
  });
  // What runs in the background waits for the writing, so the writing stops first.
  shutdown.add(() => settling?.stop());
  const edges = await openEdges({ ...options, data, sessions, operations, fetcher, meters, shutdown });
  return {
    ...edges,
    databaseEndpoint: data.engine.endpoint,
    acceptStraight: (stream, ipAddress) => broker.accept(stream, ipAddress),
    sweep: sweepNow,
    reconcile: reconcileNow,
    quiet: () => queue.idle(),
    stop: () => shutdown.run(),
  };
}
