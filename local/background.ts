// What runs by the clock in the local run: the sweeper, the reconciler, time to live, and the keys of token issuers.

import { createTableWalk } from '../shared/adapters/dynamodb/repair/table-walk.ts';
import { createBrokerShare } from '../shared/adapters/node/broker-share.ts';
import { createKeyFetcher } from '../shared/adapters/node/key-fetcher.ts';
import { cryptoRandom } from '../shared/adapters/node/random.ts';
import { signersOf } from '../shared/adapters/node/signers.ts';
import { refreshTokenKeys } from '../shared/app/credentials/token-issuer.ts';
import { reconcile } from '../shared/app/repair/reconcile.ts';
import { measuresOf, sweep } from '../shared/app/repair/sweep.ts';
import { brokerShares } from '../shared/config/constants.ts';
import type { Session } from '../shared/domain/session/record.ts';
import type { Ms } from '../shared/domain/time.ts';
import { type Data, tableName } from './data.ts';
import { every } from './every.ts';
import type { LocalOperations } from './operations.ts';
import type { ProductOptions } from './product.ts';
import type { createMeters } from './prometheus.ts';
import type { Sessions } from './sessions.ts';
import type { Shutdown } from './shutdown.ts';
import { startTtlJanitor } from './ttl.ts';

const sweeperMeasures = ['LeaseChecks', 'Freed', 'Drift', 'SweepLag', 'SweepFailed'] as const;
const sweepEveryMs = 5_000;
const reconcileEveryMs = 60_000;
/** Each run a whole pass of what one machine usually holds. */
const localReconcileBounds = { pages: 40, pageItems: 500, questions: 400, passSeconds: 0 };
const refreshKeysEveryMs = 600_000;

export interface BackgroundOptions extends Pick<ProductOptions, 'clock' | 'log'> {
  readonly data: Data;
  readonly sessions: Sessions;
  readonly operations: LocalOperations;
  readonly meters: ReturnType<typeof createMeters>;
  readonly shutdown: Shutdown;
  readonly startedAt: Ms;
  /** When the table says what became of the sessions of the last run: before, its indexes lead elsewhere. */
  readonly settled: Promise<unknown>;
}

export function startBackground(options: BackgroundOptions) {
  const { clock, log, sessions, operations, meters, shutdown, startedAt, settled } = options;
  const { client, apiClient, api } = options.data;
  const { rejections, lifeCycle, broker, brokerJournal, refresh } = sessions;
  shutdown.add(() => rejections.flush({ all: true }));
  shutdown.add(every(1_000, () => rejections.flush()));
  const measureSweep = meters.add('sweeper', sweeperMeasures);
  const sweepNow = async () => {
    await settled;
    const swept = await sweep(lifeCycle);
    measureSweep(measuresOf(swept));
    return swept;
  };
  shutdown.add(every(sweepEveryMs, async () => void (await sweepNow())));
  const reconciling = {
    ...lifeCycle,
    refreshRank: refresh,
    walk: createTableWalk(client, tableName, cryptoRandom),
    broker: createBrokerShare({
      broker,
      clock,
      callsPerSecond: brokerShares.reconciler,
      burst: 1,
      waitMs: 5_000,
      kinds: ['reconcile'],
    }).of('reconcile'),
    // A broker that has no memory of the last run forgot its sessions: of those its "absent" is no proof.
    mayAsk: (session: Session) =>
      brokerJournal.found !== undefined ||
      session.phase.kind !== 'retained' ||
      session.phase.disconnectedAt >= startedAt,
  };
  let stopping = false;
  const measureReconciling = meters.add('reconciler', ['Drift', 'Ghosts']);
  const reconcileNow = async () => {
    await settled;
    const reconciled = await reconcile(reconciling, () => stopping, localReconcileBounds);
    measureReconciling({ Drift: reconciled.driftRemoved + reconciled.driftAdded, Ghosts: reconciled.ghosts });
    return reconciled;
  };
  const stopReconciling = every(reconcileEveryMs, async () => {
    const reconciled = await reconcileNow();
    if (reconciled.driftRemoved + reconciled.driftAdded + reconciled.ghosts > 0)
      log.warn('the count had drifted', { ...reconciled });
  });
  shutdown.add(() => {
    stopping = true;
    return stopReconciling();
  });
  const janitor = startTtlJanitor({
    client: apiClient.plain,
    tableName,
    clock,
    log,
    everyMinutes: 10,
  });
  const fetcher = createKeyFetcher();
  const tokenKeys = { ...api, fetcher, signersOf, starts: operations.starts, clock, log };
  shutdown.add(every(refreshKeysEveryMs, async () => void (await refreshTokenKeys(tokenKeys))));
  shutdown.add(() => janitor.stop());

  return { sweepNow, reconcileNow, fetcher };
}
