import { describe, expect, test } from 'vitest';
import { type Action, matches, parsePolicy } from '../../local/policy.ts';
import { matchesFilter, parseShared } from '../../local/shared-subscriptions.ts';
import { arn } from './broker-bench.ts';

function policyOf(...statements: object[]) {
  return parsePolicy([JSON.stringify({ Version: '2012-10-17', Statement: statements })]);
}

const allow = (action: string | string[], resource: string | string[]) => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
});
const deny = (action: string, resource: string) => ({ Effect: 'Deny', Action: action, Resource: resource });

describe('a policy', () => {
  test.each<readonly [string, object[], Action, string, boolean]>([
    ['nothing is allowed by default', [], 'iot:Publish', 'topic/a', false],
    ['a statement allows', [allow('iot:Publish', arn('topic/a'))], 'iot:Publish', 'topic/a', true],
    ['another action is not meant', [allow('iot:Publish', arn('topic/a'))], 'iot:Receive', 'topic/a', false],
    ['an action that begins alike is not meant', [allow('iot:Pub', '*')], 'iot:Publish', 'topic/a', false],
    ['actions may have wildcards', [allow('iot:*', '*')], 'iot:RetainPublish', 'topic/a', true],
    ['actions know no case', [allow('IOT:publish', '*')], 'iot:Publish', 'topic/a', true],
    [
      'one of several',
      [allow(['iot:Receive', 'iot:Publish'], [arn('topic/a'), arn('topic/b')])],
      'iot:Publish',
      'topic/b',
      true,
    ],
    [
      'a Deny wins from behind',
      [allow('iot:*', '*'), deny('iot:Publish', arn('topic/a'))],
      'iot:Publish',
      'topic/a',
      false,
    ],
    [
      'a Deny wins from before',
      [deny('iot:Publish', arn('topic/a')), allow('iot:*', '*')],
      'iot:Publish',
      'topic/a',
      false,
    ],
    [
      'a Deny of something else does not',
      [deny('iot:Publish', arn('topic/b')), allow('iot:*', '*')],
      'iot:Publish',
      'topic/a',
      true,
    ],
    ['a topic is no topic filter', [allow('iot:Subscribe', arn('topic/a'))], 'iot:Subscribe', 'topicfilter/a', false],
    [
      'another account is not meant',
      [allow('iot:Publish', 'arn:aws:iot:local:111111111111:topic/a')],
      'iot:Publish',
      'topic/a',
      false,
    ],
    [
      'another region is not meant',
      [allow('iot:Publish', 'arn:aws:iot:eu-west-1:000000000000:topic/a')],
      'iot:Publish',
      'topic/a',
      false,
    ],
    ['resources know case', [allow('iot:Publish', arn('topic/A'))], 'iot:Publish', 'topic/a', false],
    ['+ is a character', [allow('iot:Subscribe', arn('topicfilter/a/+'))], 'iot:Subscribe', 'topicfilter/a/b', false],
    ['+ is itself', [allow('iot:Subscribe', arn('topicfilter/a/+'))], 'iot:Subscribe', 'topicfilter/a/+', true],
    ['# is a character', [allow('iot:Subscribe', arn('topicfilter/a/#'))], 'iot:Subscribe', 'topicfilter/a/b', false],
    ['* takes + and #', [allow('iot:Subscribe', arn('topicfilter/a/*'))], 'iot:Subscribe', 'topicfilter/a/+/#', true],
  ])('%s', (_, statements, action, resource, expected) => {
    expect(policyOf(...statements)?.(action, resource)).toBe(expected);
  });

  test('is made of all its documents', () => {
    const documents = [[allow('iot:*', '*')], [deny('iot:Publish', '*')]].map((Statement) =>
      JSON.stringify({ Version: '2012-10-17', Statement }),
    );
    const policy = parsePolicy(documents);
    expect(policy?.('iot:Receive', 'topic/a')).toBe(true);
    expect(policy?.('iot:Publish', 'topic/a')).toBe(false);
  });

  test.each([
    ['another version', { Version: '2008-10-17', Statement: [] }],
    ['no statement', { Version: '2012-10-17' }],
    ['an unknown effect', { Version: '2012-10-17', Statement: [{ ...allow('iot:*', '*'), Effect: 'allow' }] }],
    ['no resource', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*' }] }],
    ['NotResource', { Version: '2012-10-17', Statement: [{ ...allow('iot:*', '*'), NotResource: '*' }] }],
    ['a condition', { Version: '2012-10-17', Statement: [{ ...allow('iot:*', '*'), Condition: {} }] }],
    ['a variable', { Version: '2012-10-17', Statement: [allow('iot:*', arn(`client/${'$'}{iot:ClientId}`))] }],
  ])('with %s is refused as a whole', (_, document) => {
    expect(parsePolicy([JSON.stringify(document)])).toBeUndefined();
  });
});

test.each([
  ['', '', true],
  ['*', '', true],
  ['?', '', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a*c', 'ac', true],
  ['a*c', 'abcb', false],
  ['a*b*c', 'a-b-b-c', true],
  ['*a', 'aba', true],
  ['a.c', 'abc', false],
  ['a**', 'a', true],
])('the pattern %j on %j: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});

test('many stars take no exponential time', () => {
  expect(matches('*a'.repeat(1_000), 'a'.repeat(2_000))).toBe(true);
  expect(matches(`${'*a'.repeat(1_000)}b`, 'a'.repeat(2_000))).toBe(false);
});

test.each([
  ['a/b', 'a/b', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a/b/c', false],
  ['a/+', 'a/', true],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['#', 'a', true],
  ['#', '$SYS/a', false],
  ['+/a', '$SYS/a', false],
  ['a/b', 'a', false],
  ['a', 'a/b', false],
])('the topic filter %j on %j: %s', (filter, topic, expected) => {
  expect(matchesFilter(filter.split('/'), topic.split('/'))).toBe(expected);
});

test.each([
  ['a/b', 'not_shared'],
  ['$share/g/a', 'shared'],
  ['$share/g/#', 'shared'],
  ['$share/g', 'malformed'],
  ['$share/g/', 'malformed'],
  ['$share//a', 'malformed'],
  ['$share/+/a', 'malformed'],
])('the filter %s is %s', (filter, expected) => {
  expect(parseShared(filter)).toBe(expected);
});
