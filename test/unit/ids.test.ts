import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DeploymentId,
  parseAttemptId,
  parseBrokerClientId,
  parseClientId,
  parseDeploymentId,
  parseOperationId,
  parseTenantId,
  parseUsername,
  toBrokerClientId,
} from '../../shared/domain/ids.ts';
import { joinUserName, splitUserName } from '../../shared/domain/user-name.ts';

const demo = 'demo' as DeploymentId;

test.each([
  ['alice', true],
  ['a', true],
  ['x'.repeat(256), true],
  ['x'.repeat(257), false],
  ['é'.repeat(128), true],
  ['é'.repeat(129), false],
  ['', false],
  ['a?b', false],
  ['a\u0000b', false],
  ['\ud800', false],
  ['a b/c|d#+$%', true],
])('username %j is legal: %s', (raw, ok) => {
  expect(parseUsername(raw).ok).toBe(ok);
});

test.each([
  ['c1', true],
  ['a/b:c', true],
  ['x'.repeat(123), true],
  ['x'.repeat(124), false],
  ['$c', false],
  ['a$b', true],
  ['a{b', true],
  ['a#', false],
  ['a+', false],
  ['a*', false],
  ['a?', false],
  ['a${b', false],
  ['a\nb', false],
  ['a\u007fb', false],
  ['\udc00', false],
  ['', false],
  [undefined, false],
])('S8: client id %j is legal: %s', (raw, ok) => {
  expect(parseClientId(demo, raw).ok).toBe(ok);
});

test.each([['demo'], ['d-1']])('deployment id %s is legal', (raw) => expect(parseDeploymentId(raw).ok).toBe(true));
test.each([[''], ['-a'], ['A'], ['a:b'], ['a|b'], ['x'.repeat(33)], ['a/b']])('deployment id %s is not', (raw) => {
  expect(parseDeploymentId(raw).ok).toBe(false);
});

// As text each of them would be a legal name: `undefined`, `null`, `true`, `1234567890123456`.
test.each([[undefined], [null], [true], [1_234_567_890_123_456], [['alice']], [{}]])(
  '%j is no name of anything',
  (raw) => {
    const parsers = [parseTenantId, parseDeploymentId, parseUsername, parseAttemptId, parseOperationId];
    for (const parse of [...parsers, (given: unknown) => parseClientId(demo, given)]) expect(parse(raw).ok).toBe(false);
  },
);

test('a client id at the broker comes apart as it was put together, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (raw) => {
      const clientId = parseClientId(demo, raw);
      fc.pre(clientId.ok);
      const parsed = parseBrokerClientId(toBrokerClientId(demo, clientId.value));
      expect(parsed).toEqual({ ok: true, value: { deploymentId: demo, clientId: clientId.value } });
    }),
  );
});

test('a user name is split at its first question mark, and only known parts are believed', () => {
  expect(splitUserName('alice')).toEqual({ username: 'alice' });
  expect(splitUserName('alice?x-amz-customauthorizer-name=h&deployment=d1')).toEqual({
    username: 'alice',
    deployment: 'd1',
  });
  expect(splitUserName('?deployment=d1')).toEqual({ username: '', deployment: 'd1' });
  expect(splitUserName(joinUserName('a&b=c', 'd1', 'x_-='))).toEqual({
    username: 'a&b=c',
    deployment: 'd1',
    ticket: 'x_-=',
  });
});

test.each([
  'alice?deployment=demo?SDK=JavaV2&Version=1.0',
  'alice?deployment=demo?',
  'alice?deployment=demo&',
  'alice?SDK=JavaV2&deployment=demo',
  'alice?SDK=JavaV2?deployment=demo',
  'alice??deployment=demo',
  'alice?b?deployment=demo',
  'alice?deployment=demo?deployment=demo',
  'alice?x-amz-customauthorizer-name=h&deployment=demo?SDK=Python3&Version=2.1?Platform=a%3Fb',
])('a suffix is divided by "?" as by "&": %s', (raw) => {
  expect(splitUserName(raw)).toEqual({ username: 'alice', deployment: 'demo' });
});

test.each([
  'alice?deployment=demo&deployment=other',
  'alice?deployment=demo?deployment=other',
  'alice?deployment=demo&deployment=',
  'alice?deployment=&deployment=demo',
  'alice?deployment=',
  'alice?deployment',
])('a suffix with no one deployment names one that cannot be: %s', (raw) => {
  const { deployment } = splitUserName(raw);
  expect(deployment).toBe('');
  expect(parseDeploymentId(deployment).ok).toBe(false);
});

test('of two different tickets none is believed', () => {
  expect(splitUserName('a?deployment=d1&ticket=t&ticket=u').ticket).toBe('');
  expect(splitUserName('a?ticket=t?ticket=t').ticket).toBe('t');
});
