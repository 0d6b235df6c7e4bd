import { expect, test } from 'vitest';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';

test('a name cannot turn the direction of a line of the log, and stays what it is', () => {
  const lines: string[] = [];
  createJsonLog((line) => lines.push(line)).warn('told', { username: 'ad\u202enimda\u2066' });
  expect(lines).toEqual(['{"level":"warn","message":"told","username":"ad\\u202enimda\\u2066"}']);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ username: 'ad\u202enimda\u2066' });
});

test.each([
  ['debug', ['info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const)('at the level %s nothing below it is written', (least, expected) => {
  const lines: string[] = [];
  const log = createJsonLog((line) => lines.push(line), least);
  for (const level of ['info', 'warn', 'error'] as const) log[level]('told');
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(expected);
});
