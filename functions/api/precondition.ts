// ETag, If-Match and If-None-Match [RFC 9110, 13.1]: a version in quotes. A valid list is evaluated; what is none is a fault.

import type { Expected, Versions } from '../../shared/app/settings/expected.ts';

export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * One element of a list and what ends it [RFC 9110, 5.6.1]; an empty one says nothing. A tag may hold a comma [8.8.3]. An
 * edge may have decoded its bytes above 7F, so these are any characters.
 */
const element = /[ \t]*(?:((?:W\/)?"[\x21\x23-\x7E\x80-\uFFFF]*")[ \t]*)?(,|$)/y;
const anyTag = /^[ \t]*\*[ \t]*$/;
const versionTag = /^"([1-9][0-9]{0,14})"$/;

export type Precondition =
  | { readonly ok: true; readonly expected: Expected | undefined }
  | { readonly ok: false; readonly name: string; readonly problem: string };

/** Both may be sent, and both must hold then [RFC 9110, 13.2.2]. */
export function parsePrecondition(ifMatch: string | undefined, ifNoneMatch: string | undefined): Precondition {
  const match = parseVersions(ifMatch, 'strong');
  const noneMatch = parseVersions(ifNoneMatch, 'weak');
  if (match === 'invalid') return fault('if-match');
  if (noneMatch === 'invalid') return fault('if-none-match');
  if (match === undefined && noneMatch === undefined) return { ok: true, expected: undefined };
  return { ok: true, expected: { match, noneMatch } };
}

function fault(name: string): Precondition {
  return { ok: false, name, problem: 'must be * or entity tags in quotes, as an ETag header gives them' };
}

/** A tag that was never ours is well formed and matches nothing; so is a weak one where tags compare strongly. */
function parseVersions(header: string | undefined, comparison: 'strong' | 'weak'): Versions | undefined | 'invalid' {
  if (header === undefined) return undefined;
  if (anyTag.test(header)) return 'any';
  const tags = parseTags(header);
  if (tags === undefined) return 'invalid';
  const compared = comparison === 'weak' ? tags.map((tag) => tag.replace(/^W\//, '')) : tags;
  return compared
    .map((tag) => versionTag.exec(tag)?.[1])
    .filter((version) => version !== undefined)
    .map(Number);
}

function parseTags(header: string): readonly string[] | undefined {
  const tags: string[] = [];
  element.lastIndex = 0;
  for (;;) {
    const [, tag, end] = element.exec(header) ?? [];
    if (end === undefined) return undefined;
    if (tag !== undefined) tags.push(tag);
    if (end === '') return tags;
  }
}
