// Section `sweep`: how fast those work who look afterwards, the sweeper and the reconciler. Absolute figures are this
// machine's; on AWS each request takes milliseconds, and the sweeper is bound by its processor.

import { createTable } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/client.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import { meter, type Units } from '../meter/meter.ts';
import { type Row, type Section, within } from '../section.ts';
import { reconcileAll } from './reconcile.ts';
import { seedExpired, sweepExpired } from './run.ts';

/** One sweep a minute must keep up with so many expiries. */
const expiriesAMinute = 10_000;

interface Shape {
  readonly title: string;
  readonly usernames: (sessions: number) => number;
}

const shapes: readonly Shape[] = [
  { title: 'each of a username of its own', usernames: (sessions) => sessions },
  { title: '100 of each username', usernames: (sessions) => sessions / 100 },
  { title: 'all of one username', usernames: () => 1 },
];

async function timeSweep(endpoint: string, tableName: string, sessions: number, usernames: number): Promise<number> {
  const client = createDocumentClient({ endpoint, requestTimeoutMs: 60_000, maxSockets: 64 });
  await createTable(client, tableName);
  await seedExpired(client, tableName, sessions, usernames);
  const begun = performance.now();
  const { freed } = await sweepExpired(client, tableName);
  const spentMs = performance.now() - begun;
  client.destroy();
  if (freed !== sessions) throw new Error(`${freed} of ${sessions} were freed`);
  return (freed / spentMs) * 1_000;
}

/** The meter reads each item before it is written, so units are counted apart from time. */
async function meterSweep(endpoint: string, tableName: string, sessions: number, usernames: number): Promise<Units> {
  const client = createDocumentClient({ endpoint, requestTimeoutMs: 60_000, maxSockets: 64 });
  const rawClient = createDocumentClient({ endpoint, requestTimeoutMs: 60_000, maxSockets: 64 });
  await createTable(client, tableName);
  await seedExpired(client, tableName, sessions, usernames);
  const units = meter(client, { tableDefinition, tableName, rawClient });
  await sweepExpired(client, tableName);
  for (const one of [client, rawClient]) one.destroy();
  return units.units().total;
}

async function rowsOf(endpoint: string, n: number, { title, usernames }: Shape, sessions: number): Promise<Row[]> {
  const pace = await timeSweep(endpoint, `sweep${n}`, sessions, usernames(sessions));
  const few = sessions / 10;
  const units = await meterSweep(endpoint, `metered${n}`, few, Math.max(1, usernames(few)));
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
    const sessions = full ? 20_000 : 5_000;
    const engine = await startEngine({ dataDir: ':memory:' });
    try {
      const rows: Row[] = [];
      for (const [n, shape] of shapes.entries()) {
        rows.push(...(await rowsOf(engine.endpoint, n, shape, sessions)));
        say(`${shape.title}: ${rows.at(-3)?.value} sessions/s`);
      }
      const walked = await reconcileAll(engine.endpoint, full ? 20_000 : 5_000);
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
      return { rows, notes: [`${sessions} expired sessions at once; units on a tenth of them.`] };
    } finally {
      await engine.stop();
    }
  },
};
