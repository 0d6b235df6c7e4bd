// The reference (OpenAPI) and what decides (shared/app) say the same of a body: they are two readings of one contract.

import { describe, expect, test } from 'vitest';
import {
  credentialInputSchema,
  overrideInputSchema,
  sessionLimitChangeSchema,
  sessionLimitInputSchema,
} from '../../functions/api/schemas.ts';
import type { Checked } from '../../shared/app/common/fault.ts';
import { parseCredential } from '../../shared/app/credentials/credentials.ts';
import {
  parseOverride,
  parseSessionLimit,
  parseSessionLimitChange,
} from '../../shared/app/settings/session-limit-input.ts';

const bodies: readonly unknown[] = [
  {},
  [],
  null,
  'text',
  { enabled: true },
  { enabled: 'true' },
  { maxSessionsPerUsername: 0 },
  { maxSessionsPerUsername: 1 },
  { maxSessionsPerUsername: 1_000_000 },
  { maxSessionsPerUsername: 1_000_001 },
  { maxSessionsPerUsername: 2.5 },
  { whitelist: [] },
  { whitelist: ['alice'] },
  { whitelist: [''] },
  { whitelist: [1] },
  { whitelist: {} },
  { limit: 1 },
  { limit: 0 },
  { limit: 1_000_001 },
  { limit: 'unlimited' },
  { limit: 'blocked' },
  { limit: 'nolimit' },
  { limit: null },
  { password: 'secret' },
  { password: '' },
  { password: null },
];

describe.each([
  ['session limit', sessionLimitInputSchema, parseSessionLimit],
  ['change of a session limit', sessionLimitChangeSchema, parseSessionLimitChange],
  ['override', overrideInputSchema, parseOverride],
  ['credential', credentialInputSchema, parseCredential],
] as const)('%s', (_, schema, parse: (raw: unknown) => Checked<unknown>) => {
  test('takes what the reference takes, and nothing else', () => {
    const taken = bodies.filter((body) => parse(body).ok);
    expect(taken).toEqual(bodies.filter((body) => schema.safeParse(body).success));
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(bodies.length);
  });
});

test('the defaults are those of the reference', () => {
  const parsed = parseSessionLimit({});
  expect(parsed.ok && parsed.value).toEqual(sessionLimitInputSchema.parse({}));
});
