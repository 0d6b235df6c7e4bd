// What paths cost at several sizes of one thing, and whether they cost the same. Computed, not claimed.

import type { Spent } from '../meter/meter.ts';
import { type Budget, overBudget, type Path } from '../paths/path.ts';
import type { Row } from '../section.ts';

/** What one path came to at one size. `wide`: the roster of its username is, at this size. */
export interface Measured {
  readonly size: number;
  readonly spent: Spent;
  readonly wide: boolean;
}

/** Of one path, at each size in order. */
export interface Grown {
  readonly path: Path;
  readonly at: readonly Measured[];
}

const units = ({ write, read }: Spent): number => write + read;
const told = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** How many times what it cost at the smallest size it costs where it costs most. */
function growthOf({ at }: Grown): number {
  const [first] = at;
  if (first === undefined) throw new Error('nothing was measured');
  return Math.max(...at.map(({ spent }) => units(spent) / Math.max(1, units(first.spent))));
}

/** What chance makes of a path that shares readings. */
const togetherVaries = 1.05;

function isFlat(grown: Grown): boolean {
  return growthOf(grown) <= (grown.path.together === true ? togetherVaries : 1);
}

function detailOf({ at }: Grown): string {
  const sizes = at.map(({ size }) => told(size)).join(' / ');
  const figures = (of: (spent: Spent) => number): string => at.map(({ spent }) => told(of(spent))).join(' / ');
  return `at ${sizes}: ${figures((spent) => spent.write)} write, ${figures((spent) => spent.read)} read units, ${figures((spent) => spent.inARow)} requests in a row`;
}

function brokenBudgets(all: readonly Grown[], budgetOf: (path: Path, at: Measured) => Budget): readonly string[] {
  return all.flatMap(({ path, at }) =>
    at.flatMap((one) =>
      overBudget(budgetOf(path, one), one.spent).map((why) => `${path.name} at ${told(one.size)}: ${why}`),
    ),
  );
}

/** Which paths are flat, a row for each that is not, and one that says which budgets are not kept at some size. */
export function growthRows(by: string, all: readonly Grown[]): readonly Row[] {
  const broken = brokenBudgets(all, ({ budget, wideBudget }, { wide }) => (wide ? (wideBudget ?? budget) : budget));
  const beyond = brokenBudgets(all, ({ budget }, { wide }) => (wide ? budget : {}));
  const flat = all.filter(isFlat);
  const rest = all.filter((grown) => !isFlat(grown));
  const awaited = all.filter(({ path }) => path.awaited === true);
  const grew = awaited.filter((one) => !isFlat(one));
  return [
    {
      what: `paths that a client waits for and that grow with ${by}`,
      value: grew.length,
      unit: `of ${awaited.length}`,
      budget: 0,
      ok: grew.length === 0,
      headline: true,
      ...(grew.length === 0 ? {} : { detail: grew.map(({ path }) => path.name).join('; ') }),
    },
    {
      what: `budgets broken at any size, by ${by}`,
      value: broken.length,
      unit: 'budgets',
      budget: 0,
      ok: broken.length === 0,
      binding: true,
      ...(broken.length === 0 ? {} : { detail: broken.join('; ') }),
    },
    ...(all.some(({ at }) => at.some(({ wide }) => wide))
      ? [
          {
            what: `budgets of a narrow username that a wide one breaks, by ${by}`,
            value: beyond.length,
            unit: 'budgets',
            budget: 0,
            ok: beyond.length === 0,
            ...(beyond.length === 0 ? {} : { detail: beyond.join('; ') }),
          },
        ]
      : []),
    {
      what: `paths that cost the same at every size, by ${by}`,
      value: flat.length,
      unit: `of ${all.length}`,
      detail: `at ${all[0]?.at.map(({ size }) => told(size)).join(' / ')}: ${flat.map(({ path }) => path.name).join('; ')}`,
    },
    ...rest.map(
      (grown): Row => ({
        what: `${grown.path.name}, by ${by}`,
        value: growthOf(grown),
        unit: 'x',
        detail: detailOf(grown),
      }),
    ),
  ];
}
