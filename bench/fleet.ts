// The section of the benchmark about fleets, by itself.
//
//   node --import tsx bench/fleet.ts [full]

import { section } from './fleet/section.ts';

const { rows, notes = [] } = await section.run({ full: process.argv[2] === 'full', say: (line) => console.warn(line) });
for (const { what, value, unit, ok } of rows)
  console.info(`| ${what} | ${value} ${unit} | ${ok === false ? 'no' : ''} |`);
for (const note of notes) console.info(`\n${note}`);
