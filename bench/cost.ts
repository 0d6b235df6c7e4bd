// Writes the tables of docs/cost.md anew, from prices, metered units and counts (bench/cost). A test fails until it is
// run after one of them has changed.

import { readFileSync, writeFileSync } from 'node:fs';
import { writeCostTables } from './cost/document.ts';

const place = new URL('../docs/cost.md', import.meta.url);
writeFileSync(place, writeCostTables(readFileSync(place, 'utf8')));
