// The figures of ADR 3, usage in order: `node --import tsx bench/usage.ts [usernames]` writes
// docs/adr/figures/0003-usage.md. 100,000 usernames unless told, which takes some minutes.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { usageFigures } from './usage/figures.ts';

const usernames = Number(process.argv[2] ?? 100_000);
const folder = new URL('../docs/adr/figures/', import.meta.url);
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}`;
const load = loadavg()[0]?.toFixed(1) ?? 'unknown';
const sections = await usageFigures(usernames);
mkdirSync(folder, { recursive: true });
const date = new Date().toISOString().slice(0, 10);
const head = [
  '# ADR 3: units and time of usage in order',
  `Written by \`bench/usage.ts\` on ${date}; not by hand. ${machine}, load average ${load} before the run; dynoxide in memory.`,
];
writeFileSync(new URL('0003-usage.md', folder), `${[...head, ...sections].join('\n\n')}\n`);
console.log('wrote docs/adr/figures/0003-usage.md');
