// What an update of the choices would drop, and the sentence that refuses it.

import { expect, test } from 'vitest';
import { explainMissing, findMissing } from '../../functions/choices/compare.ts';

const recorded = { noticeBus: 'default', frontDoorMinTasks: 2, 'machineClients.ci': ['usage:read'] };

test.each([
  ['the same', recorded, [], []],
  ['values that change', { ...recorded, noticeBus: 'alerts', frontDoorMinTasks: '3' }, [], []],
  ['names that are added', { ...recorded, console: false }, [], []],
  ['nothing', {}, [], ['noticeBus', 'frontDoorMinTasks', 'machineClients.ci']],
  ['nothing, one dropped on purpose', {}, ['noticeBus'], ['frontDoorMinTasks', 'machineClients.ci']],
  ['nothing, one machine dropped on purpose', {}, ['machineClients.ci'], ['noticeBus', 'frontDoorMinTasks']],
  ['nothing, all machines dropped on purpose', {}, ['machineClients'], ['noticeBus', 'frontDoorMinTasks']],
  ['a name that is dropped and was never recorded', recorded, ['reserve'], []],
])('of an update to %s', (_, chosen, dropped, missing) => {
  expect(findMissing(recorded, chosen, dropped)).toEqual(missing);
});

test('names of the language itself are no choices', () => {
  expect(findMissing({ constructor: 1, noticeBus: 'a' }, {}, [])).toEqual(['constructor', 'noticeBus']);
});

test('the refusal names each choice with what it was, and both ways on', () => {
  expect(explainMissing(recorded, [])).toBeUndefined();
  const sentence = explainMissing(recorded, ['noticeBus', 'machineClients.ci']);
  expect(sentence).toContain('Missing: noticeBus (was "default"), machineClients.ci (was ["usage:read"]).');
  expect(sentence).toContain('Put each choice back into the choices file (headcount.json, or the file that');
  expect(sentence).toContain('with null, as {"noticeBus":null}');
  expect(explainMissing(recorded, ['machineClients.ci'])).toContain('as {"machineClients":{"ci":null}}');
});

test('a long value is named in short', () => {
  expect(explainMissing({ noticeBus: 'a'.repeat(200) }, ['noticeBus'])).toContain(`(was "${'a'.repeat(58)}…).`);
});
