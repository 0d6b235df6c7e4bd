// Section `sweep`: how fast those work who look afterwards, the sweeper and the reconciler. Absolute figures are this
// machine's; on AWS each request takes milliseconds, and the sweeper is bound by its processor.

import { createTableAt } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { Meter, type Units } from '../meter/meter.ts';
import { type Row, type Section, within } from '../section.ts';
import { reconcileAll } from './reconcile.ts';
import { seedExpired, sweepExpired } from './run.ts';

/** One sweep a minute must keep up with so many expiries. */
const expiriesAMinute = 10_000;

interface Size {
  readonly sessions: number;
  /** Fewer: the meter makes every request slower. */
  readonly metered: number;
  readonly forMs: number;
}

const quick: Size = { sessions: 2_000, metered: 300, forMs: 8_000 };
const long: Size = { sessions: 10_000, metered: 1_000, forMs: 60_000 };

interface Shape {
  readonly title: string;
  readonly usernames: (sessions: number) => number;
}

const shapes: readonly Shape[] = [
  { title: 'each of a username of its own', usernames: (sessions) => sessions },
  { title: '100 of each username', usernames: (sessions) => sessions / 100 },
  { title: 'all of one username', usernames: () => 1 },
];

/** Sessions freed a second, until none is left or the time is up. */
async function timeSweep(
  endpoint: string,
  tableName: string,
  sessions: number,
  usernames: number,
  forMs: number,
): Promise<number> {
  const client = createSdkClient({ endpoint, requestTimeoutMs: 60_000, maxSockets: 64 });
  await createTableAt(endpoint, tableName);
  await seedExpired(client, tableName, sessions, usernames);
  const begun = performance.now();
  const { freed } = await sweepExpired(client, tableName, () => performance.now() - begun > forMs);
  const spentMs = performance.now() - begun;
  client.destroy();
  if (freed === 0 || (freed !== sessions && spentMs < forMs)) throw new Error(`${freed} of ${sessions} were freed`);
  return (freed / spentMs) * 1_000;
}

async function meterSweep(sessions: number, usernames: number): Promise<Units> {
  const meter = new Meter();
  await seedExpired(meter.bareClient, 'metered', sessions, usernames);
  const [, spent] = await meter.spend(() => sweepExpired(meter.client, 'metered'));
  return spent;
}

async function rowsOf(
  endpoint: string,
  n: number,
  { title, usernames }: Shape,
  { sessions, metered: few, forMs }: Size,
): Promise<Row[]> {
  const pace = await timeSweep(endpoint, `sweep${n}`, sessions, usernames(sessions), forMs);
  const units = await meterSweep(few, Math.max(1, usernames(few)));
  const least = expiriesAMinute / 60;
  const what = `sweeper, expired sessions, ${title}`;
  return [
    { what, value: Math.round(pace), unit: 'sessions/s', detail: `must be ${Math.round(least)}`, ok: pace >= least },
    { what, value: units.write / few, unit: 'write units a session' },
    { what, value: units.read / few, unit: 'read units a session' },
  ];
}

export const section: Section = {
  name: 'sweep',
  title: 'Pace of the sweeper and the reconciler',
  async run({ full, say }) {
    const size = full ? long : quick;
    const engine = await startEngine({ dataDir: ':memory:' });
    try {
      const rows: Row[] = [];
      for (const [n, shape] of shapes.entries()) {
        rows.push(...(await rowsOf(engine.endpoint, n, shape, size)));
        say(`${shape.title}: ${rows.at(-3)?.value} sessions/s`);
      }
      const walked = await reconcileAll(engine.endpoint, size.sessions);
      rows.push({
        what: `reconciler, a pass over sessions in order, 10 of each username`,
        value: Math.round(walked.sessionsPerSecond),
        unit: 'sessions/s',
        detail: `${walked.sessions} sessions, ${walked.questions} of them compared with the broker`,
      });
      rows.push(
        within({
          what: 'reconciler, what it repaired where nothing was wrong',
          value: walked.repaired,
          unit: 'repairs',
          budget: 0,
          binding: true,
        }),
      );
      const { sessions, metered, forMs } = size;
      const note = `${sessions} expired sessions at once, for at most ${forMs / 1_000} s; units on ${metered} of them.`;
      return { rows, notes: [note] };
    } finally {
      await engine.stop();
    }
  },
};
