// What a caller says of the version it saw [RFC 9110, 13.1].

import type { TenantId } from '../domain/ids.ts';

/** Nothing, that there is none, that there is one, or which ones will do. */
export type Expected = undefined | 'none' | 'some' | readonly number[];

export interface Caller {
  /** The person, or the name of the token. */
  readonly actor: string;
  readonly tenantId: TenantId;
  readonly expected: Expected;
}

/** Versions count from 1: what must have this one is refused, as missing or as stale. */
export const noVersion = 0;

/** Whether a caller's `some` or list of versions allows the version there is. */
export function allows(expected: 'some' | readonly number[], version: number | undefined): version is number {
  return version !== undefined && (expected === 'some' || expected.includes(version));
}
