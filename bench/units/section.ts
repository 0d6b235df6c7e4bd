// Section `units`: what each path costs, beside its budget.

import type { Spent } from '../meter/meter.ts';
import { overBudget, type Path } from '../paths/path.ts';
import { paths } from '../paths/paths.ts';
import { groundInMemory, prepareScene } from '../paths/prepare.ts';
import type { Row, Section } from '../section.ts';

const headlines: ReadonlySet<string> = new Set([
  'new session',
  'new session, first of its username',
  'confirm',
  'reconnect to a retained session',
  'a whole clean life: new, confirmed, disconnected',
  'rejected for quota, each of 100 at once',
  'page of 50 usernames, by username',
  'page of 50 usernames, by used, the most first',
]);

/** One row a figure that the path has a budget for; without any, its write units, or read units where it writes nothing. */
function rowsOf(path: Path, spent: Spent): readonly Row[] {
  const { budget } = path;
  const headline = headlines.has(path.name);
  const figures = [
    ['write units', spent.write, budget.write],
    ['read units', spent.read, budget.read],
    ['writes in a row', spent.writesInARow, budget.writesInARow],
    ['requests in a row', spent.inARow, undefined],
  ] as const;
  const pages = budget.read !== undefined && budget.write === 0 && !path.awaited;
  return figures
    .filter(([unit]) => !pages || unit === 'read units')
    .map(([unit, value, max]) => ({
      what: path.name,
      value,
      unit,
      ...(max === undefined ? {} : { budget: max, ok: value <= max, binding: true, ...(headline ? { headline } : {}) }),
    }));
}

export const section: Section = {
  name: 'units',
  title: 'Units of each path',
  async run({ say }) {
    const scene = await prepareScene(groundInMemory(), { usernames: 200, held: 20 });
    const rows: Row[] = [];
    for (const path of paths) {
      const spent = await path.run(scene);
      say(`${path.name}: ${spent.write} write, ${spent.read} read, ${spent.inARow} in a row`);
      for (const problem of overBudget(path.budget, spent)) say(`  over its budget: ${problem}`);
      rows.push(...rowsOf(path, spent));
    }
    return { rows, notes };
  },
};

const notes = [
  'By the unit meter, from the items themselves before and after each request, by the rules AWS documents; indexes included. The real use cases and stores over the engine in memory, one request after another but for the storm. The username holds 20 sessions, the deployment has 200 usernames.',
  'In a row: requests none of which began before the one before it had ended, the longest such chain.',
  'A page is read by a process that knows the whitelist already. The order by used is brought up to date off the connect path, at most about once a minute and username.',
];
