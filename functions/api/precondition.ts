// ETag, If-Match and If-None-Match [RFC 9110, 13.1]: a version in quotes.

import type { Expected } from '../../shared/app/expected.ts';

export function etagOf(version: number): string {
  return `"${version}"`;
}

const entityTag = /^(?:W\/)?"[\x21\x23-\x7E\x80-\xFF]*"$/;
const versionTag = /^"([1-9][0-9]{0,14})"$/;

export type Precondition =
  | { readonly ok: true; readonly expected: Expected }
  | { readonly ok: false; readonly name: string; readonly problem: string };

/** If-Match compares strongly: a weak tag, or one that was never ours, is well formed and matches nothing. */
export function parsePrecondition(ifMatch: string | undefined, ifNoneMatch: string | undefined): Precondition {
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    return { ok: false, name: 'if-none-match', problem: 'must not be sent together with If-Match' };
  if (ifNoneMatch !== undefined)
    return ifNoneMatch.trim() === '*'
      ? { ok: true, expected: 'none' }
      : { ok: false, name: 'if-none-match', problem: 'must be * here' };
  if (ifMatch === undefined) return { ok: true, expected: undefined };
  if (ifMatch.trim() === '*') return { ok: true, expected: 'some' };
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => entityTag.test(tag)))
    return { ok: false, name: 'if-match', problem: 'must be * or entity tags in quotes, as an ETag header gives them' };
  const versions = tags.map((tag) => versionTag.exec(tag)?.[1]).filter((version) => version !== undefined);
  return { ok: true, expected: versions.map(Number) };
}
