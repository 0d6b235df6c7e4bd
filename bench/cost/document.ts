// The tables of docs/cost.md and docs/scale.md: what lies between `<!-- computed: name -->` and `<!-- end -->` is written
// from here, text beside it stays as it is.

import { table } from '../report/tables.ts';
import { fixedLines, frontDoorLines } from './fixed.ts';
import {
  comingBackLines,
  connectivity,
  type Line,
  lifeLines,
  lonelyLifeLines,
  rejectedLines,
  retainedLines,
  total,
} from './lines.ts';
import { pricesOf } from './prices.ts';
import { scaleTable } from './scale.ts';

const dollars = (amount: number): string => (amount === 0 ? '0' : `$${amount.toFixed(2)}`);

const listed = (unit: string, lines: readonly Line[], summed = true): string =>
  table(
    ['', unit, ''],
    [
      ...lines.map(([what, amount, because]) => [what, dollars(amount), because]),
      ...(summed ? [['**sum**', `**${dollars(total(lines))}**`, '']] : []),
    ],
  );

const parts: Readonly<Record<string, () => string>> = {
  prices: () => `List prices of ${pricesOf.region}, ${pricesOf.asOf}, without free tiers and discounts.`,
  summary: () =>
    table(
      ['', 'costs'],
      [
        ['a million whole lives of sessions (CONNECT, confirmed, disconnected)', dollars(total(lifeLines()))],
        ['the same where few come at a time, and each event is handled by itself', dollars(total(lonelyLifeLines()))],
        ['a million reconnects of known sessions, each retained again', dollars(total(comingBackLines()))],
        ['a million rejections for quota', dollars(total(rejectedLines()))],
        [
          'a million retained sessions, a month at rest, the reconciler at its most included',
          dollars(total(retainedLines().slice(0, -1))),
        ],
        ['an installation without devices, a month', dollars(total(fixedLines()))],
        ['a front door beside it, a month', dollars(total(frontDoorLines()))],
        ['a million minutes of connection, whatever this product does', dollars(connectivity)],
      ],
    ),
  life: () => listed('per million', lifeLines()),
  back: () => listed('per million', comingBackLines()),
  rejected: () => listed('per million', rejectedLines()),
  retained: () => listed('a month', retainedLines(), false),
  fixed: () => listed('a month', fixedLines()),
  frontdoor: () => listed('a month', frontDoorLines()),
  scale: scaleTable,
};

/** Throws where the text asks for a table that there is not. */
export function writeComputed(text: string): string {
  return text.replace(
    /(<!-- computed: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const part = parts[name];
      if (part === undefined) throw new Error(`the text asks for "${name}", which nobody computes`);
      return `${begin}\n${part()}\n\n${end}`;
    },
  );
}
