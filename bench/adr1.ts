// The figures of ADR 1, the write pattern of admission: `node --import tsx bench/adr1.ts [contention|engine]` writes
// docs/adr/figures/0001-contention.md (a model, the same under its seed) and 0001-engine.md (measured on this machine).

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { contentionFigures } from './adr1/contention-figures.ts';
import { engineFigures } from './adr1/engine-figures.ts';

const seed = 1;
const folder = new URL('../docs/adr/figures/', import.meta.url);
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}`;

function write(name: string, title: string, origin: string, sections: readonly string[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const head = [`# ${title}`, `Written by \`bench/adr1.ts\` on ${date}; not by hand. ${origin}`];
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(name, folder), `${[...head, ...sections].join('\n\n')}\n`);
  console.log(`wrote docs/adr/figures/${name}`);
}

const only = process.argv[2];
const load = loadavg()[0]?.toFixed(1) ?? 'unknown';
if (only !== 'contention') {
  write(
    '0001-engine.md',
    'ADR 1: units, time and exactness on an engine',
    `${machine}, load average ${load} before the run; dynoxide in memory.`,
    await engineFigures(),
  );
}
if (only !== 'engine') {
  const origin = `Simulated: no machine is in it. Seeds ${seed} to ${seed + 4} where it says "of five", else seed ${seed}.`;
  write('0001-contention.md', 'ADR 1: admission under contention', origin, contentionFigures(seed));
}
