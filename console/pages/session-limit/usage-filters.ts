// Order and filters of the usage list, as they stand in the address. The API searches by prefix in order of username,
// and by a minimum in order of sessions; asking for one leaves the other.

import type { UsageQuery } from '../../client/types.ts';

export interface UsageFilters {
  readonly sort: 'username' | 'used';
  readonly descending: boolean;
  readonly prefix: string;
  /** As typed. */
  readonly minUsed: string;
}

export function parseFilters(query: URLSearchParams): UsageFilters {
  const sort = query.get('sort') === 'used' ? 'used' : 'username';
  return {
    sort,
    descending: query.get('order') === 'desc',
    prefix: sort === 'username' ? (query.get('prefix') ?? '') : '',
    minUsed: sort === 'used' ? (query.get('minUsed') ?? '') : '',
  };
}

export function queryOf({ sort, descending, prefix, minUsed }: UsageFilters): Record<string, string | undefined> {
  return {
    sort: sort === 'used' ? 'used' : undefined,
    order: descending ? 'desc' : undefined,
    prefix: sort === 'username' ? prefix : undefined,
    minUsed: sort === 'used' ? minUsed : undefined,
  };
}

export function withPrefix(filters: UsageFilters, prefix: string): UsageFilters {
  return {
    ...filters,
    sort: 'username',
    prefix,
    minUsed: '',
    descending: filters.sort === 'username' && filters.descending,
  };
}

/** The largest first: who asks for a minimum looks for those with many. */
export function withMinUsed(filters: UsageFilters, minUsed: string): UsageFilters {
  return { sort: 'used', prefix: '', minUsed, descending: filters.sort === 'used' ? filters.descending : true };
}

export function withOrder(filters: UsageFilters, sort: 'username' | 'used', descending: boolean): UsageFilters {
  if (sort === filters.sort) return { ...filters, descending };
  return { sort, descending, prefix: '', minUsed: '' };
}

export const isMinUsed = (text: string): boolean => /^\d{0,9}$/.test(text);

export function usageQueryOf({ sort, descending, prefix, minUsed }: UsageFilters): UsageQuery {
  const order = descending ? 'desc' : 'asc';
  if (sort === 'username') return { sort, order, prefix };
  return { sort, order, ...(minUsed === '' || !isMinUsed(minUsed) ? {} : { minUsed: Number(minUsed) }) };
}
