// What `npm start` prints can be pasted into a shell.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { buildGreeting } from '../../local/greeting.ts';

const base = { bindHost: '127.0.0.1', dataDir: '.data', apiToken: 'local', mqttPort: 1, mqttsPort: 2, httpPort: 3 };

const commandsOf = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('  '));

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
  const script = `npx() { printf '%s\\n' "$@"; }\ncurl() { printf '%s\\n' "$@"; }\n${command}`;
  const printed = execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { API_TOKEN: 'own' } });
  return printed.trimEnd().split('\n');
}

test.each(['local', 'own'])('each command is what a shell runs, with the token %s', (apiToken) => {
  const [limit = [], first = [], second = [], ...rest] = commandsOf(buildGreeting({ ...base, apiToken })).map(wordsOf);
  expect(rest).toEqual([]);
  expect(limit).toContain('http://127.0.0.1:3/v1/deployments/demo/session-limit');
  expect(limit).toContain(`Authorization: Bearer ${apiToken}`);
  expect(limit.at(-1)).toBe('{"maxSessionsPerUsername":1}');
  expect(first.slice(-4)).toEqual(['-i', 'first', '-t', 'demo/hello']);
  expect(second.slice(-4)).toEqual(['-i', 'second', '-t', 'demo/hello']);
});

test.each([
  ['::1', 'http://[::1]:3/', '-h ::1 '],
  ['0.0.0.0', 'http://127.0.0.1:3/', '-h 127.0.0.1 '],
  ['::', 'http://[::1]:3/', '-h ::1 '],
])('addresses can be asked for where it listens on %s', (bindHost, url, option) => {
  const text = buildGreeting({ ...base, bindHost });
  expect(text).toContain(`Console: ${url}\n`);
  expect(text).toContain(option);
});

test('a token of one’s own is not printed', () => {
  expect(buildGreeting({ ...base, apiToken: 'own' })).not.toContain('own');
});
