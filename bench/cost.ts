// Writes the tables of docs/cost.md and docs/scale.md anew, from prices, metered units and counts (bench/cost). A test
// fails until it is run after one of them has changed.

import { readFileSync, writeFileSync } from 'node:fs';
import { writeComputed } from './cost/document.ts';

for (const name of ['cost', 'scale']) {
  const place = new URL(`../docs/${name}.md`, import.meta.url);
  writeFileSync(place, writeComputed(readFileSync(place, 'utf8')));
}
