import { expect, test } from 'vitest';
import { decideLimit, maxSessions, type Override } from '../../shared/domain/limit.ts';
import { defaultsOf, limitSettings } from '../../shared/domain/settings.ts';

const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 100 };
const number: Override = { kind: 'number', max: 5 };

test.each([
  ['nothing configured', undefined, false, undefined, 'none', Number.POSITIVE_INFINITY],
  ['disabled', { ...limit, enabled: false }, false, number, 'none', Number.POSITIVE_INFINITY],
  [
    'disabled lets a blocked username in',
    { ...limit, enabled: false },
    false,
    { kind: 'blocked' },
    'none',
    Number.POSITIVE_INFINITY,
  ],
  ['the default', limit, false, undefined, 'number', 100],
  ['an override wins over the default', limit, false, number, 'number', 5],
  ['the whitelist wins over an override', limit, true, number, 'unlimited', Number.POSITIVE_INFINITY],
  ['blocked wins over the whitelist', limit, true, { kind: 'blocked' }, 'blocked', 0],
  ['unlimited', limit, false, { kind: 'unlimited' }, 'unlimited', Number.POSITIVE_INFINITY],
] as const)('S4: %s', (_what, settings, whitelisted, override, kind, max) => {
  const effective = decideLimit(settings, whitelisted, override);
  expect(effective.kind).toBe(kind);
  expect(maxSessions(effective)).toBe(max);
});
