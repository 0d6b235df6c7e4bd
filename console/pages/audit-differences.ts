// What differs between two states of something, field by field, in few words.

import { shownName } from '../parts/shown-name.ts';

export interface Difference {
  /** Empty where the thing as a whole is meant. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

const namesShown = 5;

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return shownName(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.length === 0) return 'nobody';
  const more = value.length - namesShown;
  return `${value.slice(0, namesShown).map(shown).join(', ')}${more > 0 ? ` and ${more.toLocaleString()} more` : ''}`;
}

/** Fields that are the same on both sides are left out. */
export function differences(before: unknown, after: unknown): readonly Difference[] {
  if (!isFields(before) && !isFields(after)) return [{ name: '', from: shown(before), to: shown(after) }];
  const [from, to] = [isFields(before) ? before : {}, isFields(after) ? after : {}];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names
    .filter((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]))
    .map((name) => ({ name, from: shown(from[name]), to: shown(to[name]) }));
}
