// The benchmark: measures the product on this machine, section by section.
//
//   npm run bench                            all sections, about five minutes
//   npm run bench -- --full                  more rounds, larger tables: more than an hour
//   npm run bench -- --only units,latency    some of them; --list names them
//   npm run bench -- --json FILE             the results as JSON
//   npm run bench -- --write                 into docs/benchmark.json, docs/benchmark.md and the README's table
//
// It ends with 1 where a budget of units is broken or a section could not be measured. Times never fail it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { circumstancesNow } from './report/circumstances.ts';
import { buildDocument, buildReadmeTable, figure, placeInReadme } from './report/markdown.ts';
import { buildJson, failures, type MeasuredSection, measure, merge, type Report } from './report/report.ts';
import { sections } from './sections.ts';

const kept = new URL('../docs/benchmark.json', import.meta.url);
const document = new URL('../docs/benchmark.md', import.meta.url);
const readme = new URL('../README.md', import.meta.url);

// The SDK's reminder that newer Node versions are coming is no finding.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) for (const { name, title } of sections) console.info(`${name.padEnd(10)} ${title}`);
else process.exitCode = await run();

async function run(): Promise<number> {
  const names = sections.map(({ name }) => name);
  const wanted = values.only.flatMap((only) => only.split(','));
  const strangers = wanted.filter((name) => !names.includes(name));
  if (strangers.length > 0)
    throw new Error(`there is no section ${strangers.join(', ')}; there are ${names.join(', ')}`);
  const chosen = sections.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const measured: MeasuredSection[] = [];
  for (const section of chosen) {
    console.info(`\n${section.title} (${section.name})`);
    const options = { full: values.full, say: (line: string) => console.info(`  ${line}`) };
    const found = await measure(section, options, circumstancesNow(values.full ? 'full' : 'quick'));
    measured.push(found);
    print(found);
  }
  const report = merge(undefined, measured, names);
  if (values.json !== undefined) writeFileSync(values.json, buildJson(report));
  if (values.write) write(measured, names);
  const broken = failures(measured);
  for (const problem of broken) console.error(`✘ ${problem}`);
  return broken.length === 0 ? 0 : 1;
}

function print({ rows, notes, error, tookSeconds }: MeasuredSection): void {
  if (error !== undefined) console.error(error);
  for (const { what, value, unit, budget, least, ok, spread } of rows) {
    const mark = ok === undefined ? ' ' : ok ? '✔' : '✘';
    const range = spread === undefined ? '' : ` (${figure(spread[0])} to ${figure(spread[1])})`;
    const most = budget === undefined ? '' : `, at most ${figure(budget)}`;
    const bound = least === undefined ? most : `, at least ${figure(least)}`;
    console.info(`${mark} ${what}: ${figure(value)} ${unit}${range}${bound}`);
  }
  for (const note of notes) console.info(`  ${note}`);
  console.info(`  took ${tookSeconds} s`);
}

/** What was measured now takes the place of what was there of it; the rest stays. */
function write(measured: readonly MeasuredSection[], names: readonly string[]): void {
  const before: Report | undefined = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : undefined;
  const report = merge(before, measured, names);
  const placed = placeInReadme(readFileSync(readme, 'utf8'), buildReadmeTable(report));
  if (placed === undefined) throw new Error('README.md has no markers for the table');
  writeFileSync(kept, buildJson(report));
  writeFileSync(document, buildDocument(report));
  writeFileSync(readme, placed);
  console.info('wrote docs/benchmark.json, docs/benchmark.md and README.md');
}
