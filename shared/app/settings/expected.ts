// What a caller says of the version it saw [RFC 9110, 13.1].

import type { TenantId } from '../../domain/ids.ts';

/** Any that there is, or one of these. */
export type Versions = 'any' | readonly number[];

/** Both must hold, where they are given. */
export interface Expected {
  /** There is one of these. */
  readonly match: Versions | undefined;
  /** There is none of these; of `any`, nothing at all. */
  readonly noneMatch: Versions | undefined;
}

export interface Caller {
  /** The person, or the name of the token. */
  readonly actor: string;
  readonly tenantId: TenantId;
  readonly expected: Expected | undefined;
}

/** Versions count from 1: what must have this one is refused, as missing or as stale. */
export const noVersion = 0;

/** `version`: undefined where there is nothing. */
export function allows(expected: Expected | undefined, version: number | undefined): boolean {
  const isOneOf = (versions: Versions) => version !== undefined && (versions === 'any' || versions.includes(version));
  const { match, noneMatch } = expected ?? {};
  return (match === undefined || isOneOf(match)) && (noneMatch === undefined || !isOneOf(noneMatch));
}
