import { expect, test } from 'vitest';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';

test('a name cannot turn the direction of a line of the log, and stays what it is', () => {
  const lines: string[] = [];
  createJsonLog((line) => lines.push(line)).warn('told', { username: 'ad\u202enimda\u2066' });
  expect(lines).toEqual(['{"level":"warn","message":"told","username":"ad\\u202enimda\\u2066"}']);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ username: 'ad\u202enimda\u2066' });
});
