// A username or client id in a path: percent-encoded, or `~` and the base64url of its UTF-8 bytes. The second form
// survives every gateway, and the URL parsers that take `.` and `..` for themselves.

import type { Parsed } from '../../shared/domain/ids.ts';

const bad = (problem: string): Parsed<never> => ({ ok: false, problem });

export function decodeSegment(raw: string): Parsed<string> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    return bad('must be percent-encoded UTF-8, or "~" and base64url');
  }
  // `%7E` and `~` are the same to every URL parser [RFC 3986, 6.2.2.2], so they are to us.
  if (!decoded.startsWith('~')) return { ok: true, value: decoded };
  const encoded = decoded.slice(1);
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.toString('base64url') !== encoded) return bad('must have base64url without padding after "~"');
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return bad('must have the base64url of UTF-8 after "~"');
  }
}
