// The header Idempotency-Key [draft-ietf-httpapi-idempotency-key-header]: a request that is sent again under its key is
// not carried out again.

import { createHash } from 'node:crypto';
import type { Parsed } from '../../shared/domain/ids.ts';
import type { IdempotencyKey } from '../../shared/ports/settings/settings.ts';

const pattern = /^[\x21-\x7E]{1,255}$/;

/** Kept as a digest: a key may hold what its sender would not store. */
export function parseIdempotencyKey(raw: string | undefined): Parsed<IdempotencyKey | undefined> {
  if (raw === undefined) return { ok: true, value: undefined };
  if (!pattern.test(raw)) return { ok: false, problem: 'must be 1 to 255 visible ASCII characters' };
  return { ok: true, value: createHash('sha256').update(raw).digest('base64url') as IdempotencyKey };
}
