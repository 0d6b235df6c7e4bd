// Cursors: the last name of a page, bound to the list and the filters it came from. Opaque, and worth nothing with any
// other list: what they say is checked again like everything else a caller sends, so they need no secret.

import { createHash } from 'node:crypto';

const tagBytes = 12;

function tagOf(binding: string, last: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([binding, last]))
    .digest()
    .subarray(0, tagBytes);
}

/** `binding`: the list and its filters, written the same way every time. */
export function encodeCursor(binding: string, last: string): string {
  return Buffer.concat([tagOf(binding, last), Buffer.from(last)]).toString('base64url');
}

/** Undefined for a cursor that is malformed, or comes from another list or other filters. */
export function decodeCursor(binding: string, cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // Node skips what is not base64url; a cursor of ours comes out as it went in.
  if (bytes.length <= tagBytes || bytes.toString('base64url') !== cursor) return undefined;
  const last = bytes.subarray(tagBytes).toString();
  return tagOf(binding, last).equals(bytes.subarray(0, tagBytes)) ? last : undefined;
}
