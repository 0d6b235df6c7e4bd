// How fast the sweeper frees what has expired, by how it is spread over usernames, and what that costs. Absolute figures
// are this machine's; on AWS each request takes milliseconds, and the sweeper is bound by its processor.
//
//   node --import tsx bench/sweep.ts [sessions, 10000 unless told]

import { createTable } from '../local/create-table.ts';
import { startEngine } from '../local/engine.ts';
import { createDocumentClient } from '../shared/adapters/dynamodb/client.ts';
import { tableDefinition } from '../shared/config/table.ts';
import { meter } from './meter/meter.ts';
import { seedExpired, sweepExpired } from './sweep/run.ts';

const sessions = Number(process.argv[2] ?? 10_000);
const shapes = [
  { usernames: sessions, title: 'a username each' },
  { usernames: sessions / 100, title: '100 a username' },
  { usernames: 1, title: 'all of one username' },
];

const engine = await startEngine({ dataDir: ':memory:' });
try {
  console.info('| expired sessions | freed in | a second | write units a session | read units | requests | sweeps |');
  console.info('|---|---|---|---|---|---|---|');
  for (const [n, { usernames, title }] of shapes.entries()) {
    const options = { endpoint: engine.endpoint, requestTimeoutMs: 60_000, maxSockets: 64 };
    const timed = createDocumentClient(options);
    const tableName = `sweep${n}`;
    await createTable(timed, tableName);
    await seedExpired(timed, tableName, sessions, usernames);
    const begun = performance.now();
    const { freed, sweeps } = await sweepExpired(timed, tableName);
    const spent = (performance.now() - begun) / 1000;
    // The meter reads each item before it is written, so units are counted apart from time, on a tenth of them.
    const metered = createDocumentClient(options);
    const meteredTable = `metered${n}`;
    await createTable(metered, meteredTable);
    await seedExpired(metered, meteredTable, sessions / 10, Math.max(1, usernames / 10));
    const rawClient = createDocumentClient(options);
    const units = meter(metered, { tableDefinition, tableName: meteredTable, rawClient });
    const counted = await sweepExpired(metered, meteredTable);
    const { total } = units.units();
    const each = (figure: number): string => (figure / counted.freed).toFixed(1);
    const costs = `${each(total.write)} | ${each(total.read)} | ${each(total.requests)}`;
    console.info(
      `| ${freed}, ${title} | ${spent.toFixed(1)} s | ${Math.round(freed / spent)} | ${costs} | ${sweeps} |`,
    );
    for (const client of [timed, metered, rawClient]) client.destroy();
  }
} finally {
  await engine.stop();
}
