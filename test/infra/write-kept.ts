// Writes test/infra/kept.json anew. Each entry of it is something that every installation has, and a change of it is a change
// of all of them: a table that is made anew is empty, a user pool has no people, a domain configuration has another name than
// the one that devices hold. So it writes only where each change is named:
//
//   npm run kept                                  shows the changes
//   npm run kept -- <stack>/<logical id> …        accepts these, if they are all

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareKept, type KeptList, listKept } from './kept.ts';
import { synthesizeVariant, variantNames } from './variants.ts';

const path = new URL('kept.json', import.meta.url);
const accepted = process.argv.slice(2);
const before: KeptList = JSON.parse(readFileSync(path, 'utf8'));
const after = listKept(new Map(variantNames.map((name) => [name, synthesizeVariant(name).templates])));
const changes = compareKept(before, after);
for (const { name, what } of changes)
  console.log(`${accepted.includes(name) ? 'accepted' : 'REFUSED '} ${name} ${what}`);

const refused = changes.filter(({ name }) => !accepted.includes(name));
const idle = accepted.filter((name) => !changes.some((change) => change.name === name));
if (refused.length > 0 || idle.length > 0) {
  for (const name of idle) console.log(`${name} does not change`);
  console.log('Nothing is written. Name each change that every installation is to suffer, and nothing else.');
  process.exitCode = 1;
} else {
  writeFileSync(path, `${JSON.stringify(after, null, 2)}\n`);
  execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(path)]);
  console.log(`${Object.keys(after).length} kept`);
}
