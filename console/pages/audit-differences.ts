// What differs between two states of something, field by field, in few words.

import { nameInText } from '../parts/shown-name.ts';

export interface Difference {
  /** Empty where the thing as a whole is meant. */
  readonly name: string;
  /** Undefined where there was nothing. */
  readonly from: string | undefined;
  readonly to: string;
}

const namesShown = 5;

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shownList(values: readonly unknown[], count: number): string {
  if (count === 0) return 'nobody';
  const named = values.slice(0, namesShown).map(shown);
  const more = count - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more.toLocaleString()} more` : ''}`;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return nameInText(value);
  if (Array.isArray(value)) return shownList(value, value.length);
  // How a record keeps a long list: the first of it, and how many there are.
  if (isFields(value) && Array.isArray(value.usernames) && typeof value.count === 'number')
    return shownList(value.usernames, value.count);
  return JSON.stringify(value);
}

/** Fields that are the same on both sides are left out. */
export function differences(before: unknown, after: unknown): readonly Difference[] {
  // A kick changes no setting.
  if ((before ?? null) === null && (after ?? null) === null) return [];
  if (!isFields(before) && !isFields(after)) return [{ name: '', from: shown(before), to: shown(after) }];
  const [from, to] = [isFields(before) ? before : {}, isFields(after) ? after : {}];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names
    .filter((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]))
    .map((name) => ({ name, from: from[name] === undefined ? undefined : shown(from[name]), to: shown(to[name]) }));
}
