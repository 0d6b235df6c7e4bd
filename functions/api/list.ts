// Lists in pages: what a page comes after, and whether another one follows.

import type { Parsed } from '../../shared/domain/ids.ts';
import { type Answer, invalid } from './answer.ts';
import type { Call } from './route.ts';

export const badCursor = (detail: string): Answer => invalid([{ in: 'query', name: 'cursor', detail }]);

/** What a store is told to begin after: nothing, for the first page. */
export function parseAfter<T>(
  after: string | undefined,
  parse: (raw: string) => Parsed<T>,
): Parsed<{ readonly after?: T }> {
  if (after === undefined) return { ok: true, value: {} };
  const parsed = parse(after);
  return parsed.ok ? { ok: true, value: { after: parsed.value } } : parsed;
}

export interface ListByName<Name extends string, Item> {
  readonly parse: (raw: string) => Parsed<Name>;
  /** Or what is answered where there is no such list. */
  readonly read: (from: { readonly limit: number; readonly after?: Name }) => Promise<readonly Item[] | Answer>;
  readonly nameOf: (item: Item) => Name;
  readonly view: (item: Item) => unknown;
}

/** A page of a list that is in order of its names. */
export async function pageByName<Name extends string, Item>(
  {
    query: { limit },
    after,
    page,
  }: Pick<Call<unknown, { readonly limit: number }, unknown>, 'query' | 'after' | 'page'>,
  { parse, read, nameOf, view }: ListByName<Name, Item>,
): Promise<Answer> {
  const from = parseAfter(after, parse);
  if (!from.ok) return badCursor(from.problem);
  // One more than asked for tells whether anything follows.
  const found = await read({ limit: limit + 1, ...from.value });
  if ('status' in found) return found;
  const shown = found.slice(0, limit);
  const last = found.length > limit ? shown.at(-1) : undefined;
  return page(shown.map(view), last === undefined ? undefined : nameOf(last));
}
