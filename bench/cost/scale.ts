// What fleets of three sizes ask of an account, for docs/scale.md.

import { brokerShares } from '../../shared/config/constants.ts';
import { table } from '../report/tables.ts';
import { metered } from './metered.ts';

/** IoT Core's quotas of an account in a large region, as they are before somebody raises them. */
const quotas = { connections: 500_000, connectsPerSecond: 3_000 };
/** DynamoDB: write units a second of one partition. */
const partitionUnits = 1_000;
/** What deciding takes, and what a pass of the reconciler reads: the first is an assumption. */
const decidingSeconds = 0.05;
const reconciler = { itemsPerMinute: 8_000, itemsOfDevice: 2 };
const returnSeconds = 600;

const short = (value: number): string =>
  value >= 10 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en-US')
    : value.toPrecision(value >= 1 ? 2 : 1);

function lasting(seconds: number): string {
  if (seconds < 90 * 60) return `${short(seconds / 60)} min`;
  return seconds < 48 * 3_600 ? `${short(seconds / 3_600)} h` : `${short(seconds / 86_400)} days`;
}

const share = (part: number): string => (part < 1 ? `${short(part * 100)} %` : `**${short(part)}×**`);

export function scaleTable(): string {
  const units = metered.reconnect.write + metered.confirmed.write;
  const fleets = [10_000, 1_000_000, 100_000_000];
  const row = (what: string, of: (devices: number) => string): readonly string[] => [what, ...fleets.map(of)];
  const connects = (devices: number): number => devices / returnSeconds;
  return table(
    ['devices', ...fleets.map((devices) => devices.toLocaleString('en-US'))],
    [
      row(`all reconnect within ${returnSeconds / 60} min`, (devices) => `${short(connects(devices))} CONNECT/s`),
      row(`… write units/s, ${units} each`, (devices) => short(connects(devices) * units)),
      row('… table: partitions for the writes', (devices) =>
        short(Math.max(1, Math.ceil((connects(devices) * units) / partitionUnits))),
      ),
      row(`… Lambda at once, ${decidingSeconds * 1_000} ms each`, (devices) =>
        short(Math.max(1, Math.ceil(connects(devices) * decidingSeconds))),
      ),
      row(`… of IoT Core's CONNECT/s (${quotas.connectsPerSecond.toLocaleString('en-US')})`, (devices) =>
        share(connects(devices) / quotas.connectsPerSecond),
      ),
      row(`of IoT Core's connections (${quotas.connections.toLocaleString('en-US')})`, (devices) =>
        share(devices / quotas.connections),
      ),
      row('one reconnect a day', (devices) => `${short(devices / 86_400)}/s`),
      row(`each confirmed by one question to the broker, ${brokerShares.presence}/s`, (devices) =>
        lasting(devices / brokerShares.presence),
      ),
      row('a pass of the reconciler', (devices) =>
        lasting((devices * reconciler.itemsOfDevice * 60) / reconciler.itemsPerMinute),
      ),
    ],
  );
}
