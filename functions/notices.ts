// Threshold notices of a function, where the installation asked for them; nothing at all where it did not.

import { createEventBusNotices } from '../shared/adapters/aws/event-bus-notices.ts';
import type { DocumentClient } from '../shared/adapters/dynamodb/common/commands.ts';
import { createNoticeStore } from '../shared/adapters/dynamodb/usage/notice-store.ts';
import { cryptoRandom } from '../shared/adapters/node/random.ts';
import { createNoticeThreshold } from '../shared/app/usage/notice-threshold.ts';
import type { RefreshPorts } from '../shared/app/usage/refresh-rank.ts';
import { environmentVariables } from '../shared/config/env.ts';
import { noNoticeBus } from '../shared/config/notices.ts';
import { createCoreSettings } from '../shared/core/core.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';
import { readVariable } from './environment.ts';

export function readNoticeThreshold(
  client: DocumentClient,
  tableName: string,
  clock: Clock,
  log: Log,
): Pick<RefreshPorts, 'notice'> {
  const bus = readVariable(environmentVariables.noticeBus);
  if (bus === noNoticeBus) return {};
  return {
    notice: createNoticeThreshold({
      settings: createCoreSettings({ client, tableName, clock }),
      store: createNoticeStore(client, tableName, cryptoRandom),
      notices: createEventBusNotices(bus, readVariable(environmentVariables.region)),
      clock,
      log,
    }),
  };
}
