// What a file of limits says, or in which line it says nothing that can be meant. Nothing is asked of any API.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readFile } from '../../apply/read-file.ts';
import { run } from '../../apply/run.ts';
import { limitSettings } from '../../shared/domain/settings.ts';

const read = (yaml: string) => readFile(Buffer.from(yaml));

function faultsOf(yaml: string): readonly string[] {
  const file = read(yaml);
  return file.ok ? [] : file.faults.map(({ line, problem }) => `${line}: ${problem}`);
}

const ofOverride = (yaml: string) => `deployment: {id: demo}\nsessionLimit: {}\noverrides:\n${yaml}\n`;

const unclear =
  `007 7 1e3 0x10 0o7 0b1 1_000 +5 -0 1.5 .5 1. .inf -.INF .nan ~ null Null NULL yes Yes no NO on off y N true False
   2024-01-01 2001-12-14t21:59:43.10-05:00 12:30 190:20:30 0123 <<`.split(/\s+/);

test.each(unclear)('%s without quotes is no username, wherever one may be', (text) => {
  const said = `${text} is not plain text in every version of YAML: write "${text}"`;
  expect(faultsOf(ofOverride(`  ${text}: 5`))).toEqual([`4: ${said}`]);
  expect(faultsOf(`deployment: {id: demo}\nsessionLimit:\n  whitelist:\n    - bridge\n    - ${text}\n`)).toEqual([
    `5: an entry of sessionLimit.whitelist: ${said}`,
  ]);
  expect(faultsOf(`deployment:\n  name: ${text}\n`)).toEqual([`2: deployment.name: ${said}`]);
  const quoted = read(ofOverride(`  "${text}": blocked\n  '${text} ': 1`));
  expect(quoted.ok && [...(quoted.wanted.overrides ?? [])]).toEqual([
    [text, 'blocked'],
    [`${text} `, 1],
  ]);
});

test.each([...unclear.filter((text) => text !== '7'), '"5"', '0', '1000001', '[5]', '{}', '', 'Blocked'])(
  'an own limit of %s is refused: a number is plain digits',
  (text) => {
    expect(faultsOf(ofOverride(`  alice: ${text}`))).toEqual([
      '4: the override of "alice" must be a whole number from 1 to 1000000, "unlimited" or "blocked"',
    ]);
  },
);

test.each([
  [
    'sessionLimit: {maxSessionsPerUsername: 1e3}',
    'sessionLimit.maxSessionsPerUsername must be a whole number in plain',
  ],
  [
    'sessionLimit: {maxSessionsPerUsername: "5"}',
    'sessionLimit.maxSessionsPerUsername must be a whole number in plain',
  ],
  [
    'sessionLimit: {maxSessionsPerUsername: 1000001}',
    'maxSessionsPerUsername must be a whole number from 1 to 1000000',
  ],
  ['sessionLimit: {enabled: yes}', 'sessionLimit.enabled must be true or false'],
  ['sessionLimit: {enabled: "true"}', 'sessionLimit.enabled must be true or false'],
  ['sessionLimit: {enabled: True}', 'sessionLimit.enabled must be true or false'],
  ['sessionLimit: {enabled: }', 'sessionLimit.enabled must be true or false'],
  ['sessionLimit: {whitelist: }', 'sessionLimit.whitelist must be a list of usernames'],
  ['sessionLimit: {whitelist: [a?b]}', 'sessionLimit.whitelist: a username holds no "?"'],
  ['sessionLimit: {whitelist: [a, b, "a"]}', '"a" is in sessionLimit.whitelist twice: the first is in line 2'],
  ['sessionLimit: {limit: 5}', `has no field "limit", only ${Object.keys(limitSettings).join(', ')}, whitelist`],
  ['sessionLimit:', 'sessionLimit, unless it is none, must be a list of "name: value"'],
  ['sessionLimit: off', 'sessionLimit, unless it is none, must be a list of "name: value"'],
  ['overrides:', 'overrides says nothing: {} removes all of them, and without the line they stay'],
  ['overrides: ~', 'overrides must be a list of "name: value"'],
  ['overrides: {a: 1, "a": 2}', '"a" is here twice: the first is in line 2'],
  ['overrides: {a?b: 1}', 'overrides: a username holds no "?"'],
  ['overrides: {? [a] : 1}', 'a name must be one text'],
  ['overrides: {a: &b 1}', 'anchors and aliases are not read here: write it out'],
  ['overrides: {a: !!int 1}', 'Unresolved tag: tag:yaml.org,2002:int'],
  ['overrides: {a: !!str 1}', 'the tag tag:yaml.org,2002:str is not read here: leave it out'],
  ['overrides: {a: ! 1}', 'the tag ! is not read here: leave it out'],
  ['overrides: !x {a: 1}', 'Unresolved tag: !x'],
  ['sessionLimit: {whitelist: ["a\n  b"]}', 'a text is written in one line here'],
  ['sessionLimit: {whitelist: [a\n  b]}', 'a text is written in one line here'],
  ['overrides: {\n  "a": 1, b: 0}', 'the override of "b" must be a whole number'],
  ['limits: {}', 'the file has no field "limits", only deployment, sessionLimit, overrides'],
])('%s is refused in its line', (yaml, said) => {
  const line = yaml.includes('{\n') ? 3 : 2;
  const faults = faultsOf(`deployment: {id: demo}\n${yaml}\n`);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^${line}: `));
  expect(faults[0]).toContain(said);
});

test.each([
  ['', 1, 'the file is empty'],
  ['# nothing\n', 1, 'the file is empty'],
  ['- a', 1, 'the file must be a list of "name: value"'],
  ['sessionLimit: {}', 1, 'the file must say which deployment it is about'],
  ['deployment:', 1, 'deployment must be a list of "name: value"'],
  ['deployment: {}', 1, 'deployment must have an id or a name'],
  ['deployment:\n  id: Demo', 2, 'deployment.id: a deployment id is 1 to 32 characters'],
  ['deployment:\n  name: " "', 2, 'deployment.name must not be blank'],
  ['deployment:\n  id: demo\n  sessionExpirySeconds: 604801', 3, 'must be a whole number from 0 to 604800'],
  ['deployment:\n  id: demo\n  sessionExpirySeconds: 1e3', 3, 'must be a whole number in plain digits, without quotes'],
  ['deployment:\n  id: demo\n  status: deleting', 3, 'deployment.status must be active or suspended'],
  ['deployment:\n  id: demo\n  status: off', 3, 'off is not plain text in every version of YAML: write "off"'],
  ['deployment:\n  id: demo\n  onStoreFailure: open', 3, 'deployment.onStoreFailure must be reject or admit'],
  ['deployment:\n  id: demo\n  colour: red', 3, 'deployment has no field "colour", only id, name, mqttHost, '],
  ['deployment: {id: demo}\nsessionLimit:\n  enabled: true\n  colour: red', 4, 'has no field "colour", only enabled, '],
  ['deployment:\n  id: demo\n  mqttHost: fleet', 3, 'must be one label below the MQTT domain of the installation'],
  ['deployment:\n  id: demo\n  mqttHost: -a.example.com', 3, 'must be one label below the MQTT domain'],
  [
    'deployment: {id: demo}\nsessionLimit: none\noverrides: {a: 1}',
    3,
    'overrides cannot be where sessionLimit is none',
  ],
  ['%YAML 1.1\n---\ndeployment: {id: demo}', 1, 'a directive of YAML is not read here'],
  ['deployment: {id: demo}\n---\ndeployment: {id: other}', 2, 'Source contains multiple documents'],
  ['deployment: {id: demo}\ndeployment: {id: demo}', 2, '"deployment" is here twice: the first is in line 1'],
  ['deployment: &x {id: demo}', 1, 'anchors and aliases are not read here'],
  ['deployment: {id: demo}\nsessionLimit: |\n  none\n', 2, 'a text is written in one line here'],
])('%j is refused in line %i: %s', (yaml, line, said) => {
  const faults = faultsOf(yaml);
  expect(faults[0]).toMatch(new RegExp(`^${line}: `));
  expect(faults[0]).toContain(said);
});

/** What the command prints of a file that is wrong. */
async function toldOf(yaml: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'f'), yaml);
  let told = '';
  const tell = (text: string): void => {
    told += text;
  };
  expect(await run([join(folder, 'f')], { env: {}, out: tell, err: tell })).toBe(2);
  return told.trimEnd().replaceAll(`${folder}/`, '').split('\n');
}

const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);
const indented = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:`).join('\n');

test.each([
  ['lists', `deployment: ${deep('[', ']', 3_000)}`, 1],
  ['lists that never end', `deployment:\n ${'['.repeat(3_000)}`, 2],
  ['maps', `deployment: {id: demo}\noverrides: ${deep('{a: ', '}', 3_000)}`, 2],
  ['maps by their indentation', indented(3_000), 17],
  ['lists in one line', `${'- '.repeat(3_000)}x`, 1],
  ['names that are maps', `${'? '.repeat(3_000)}x`, 1],
])('a file that is nested without end is refused in one line: %s', async (_, yaml, line) => {
  expect(await toldOf(yaml)).toEqual([`f:${line}: nested more than 16 levels deep`]);
});

test('16 levels are read, 17 are not', () => {
  const nested = (levels: number) => `deployment: {id: demo}\noverrides: {a: ${deep('[', ']', levels)}}`;
  expect(faultsOf(nested(14))[0]).toContain('the override of "a" must be a whole number');
  expect(faultsOf(nested(15))).toEqual(['2: nested more than 16 levels deep']);
});

const long = 'x'.repeat(1_000);

test.each([
  ['a field', `deployment: {id: demo}\n${long}: 5`],
  ['a field twice', `deployment: {id: demo}\noverrides:\n  ${long}: 1\n  ${long}: 1`],
  ['an unclear name', `deployment: {id: demo}\noverrides:\n  ${'1'.repeat(1_000)}: 1`],
  ['a limit', `deployment: {id: demo}\noverrides: {a: ${long.repeat(100)}}`],
  ['a limit of a name', `deployment: {id: demo}\noverrides: {${long}: x}`],
  ['an entry twice', `deployment: {id: demo}\nsessionLimit: {whitelist: [a, ${long}, ${long}]}`],
  ['a tag', `deployment: !${long.repeat(100)} {id: demo}`],
  ['a known tag', `deployment: {id: !<tag:yaml.org,2002:str> ${long.repeat(100)}}`],
  ['a setting', `deployment: {id: demo, status: ${long.repeat(100)}}`],
  ['an id', `deployment: {id: ${long.repeat(100)}}`],
])('%s of any length is refused in lines that can be read', async (_, yaml) => {
  const told = await toldOf(yaml);
  expect(told.length).toBeLessThanOrEqual(4);
  for (const line of told) expect(line.length).toBeLessThanOrEqual(1_020);
});

test('many mistakes are told 100 at a time, and the same one once a line', async () => {
  const many = Array.from({ length: 500 }, (_, index) => `  ${index}: 1`).join('\n');
  const told = await toldOf(ofOverride(many));
  expect([told.length, told.at(-1)]).toEqual([101, 'f: 400 more']);
  const same = `deployment: {id: demo}\noverrides: {${'[a]: 1, '.repeat(500)}}`;
  expect(await toldOf(same)).toEqual(['f:2: a name must be one text']);
});

test('nothing in a file moves the cursor of the terminal that shows what is wrong with it', async () => {
  const told = await toldOf('deployment: !\u001b[2J\u0007 {id: demo}\n"a\u001bb": 1');
  expect(told.join('')).not.toMatch(/\p{Cc}/u);
});

test('a byte that is no UTF-8 is refused in its line', () => {
  const bytes = Buffer.concat([
    Buffer.from('deployment: {id: demo}\noverrides:\n  b'),
    Buffer.from([0xf6]),
    Buffer.from('se: 1'),
  ]);
  expect(readFile(bytes)).toEqual({ ok: false, faults: [{ line: 3, problem: 'the file must be UTF-8' }] });
});

test('more overrides, or whitelisted usernames, than there can be are refused', () => {
  const many = Array.from({ length: 10_001 }, (_, index) => `u-${index}`);
  expect(faultsOf(ofOverride(many.map((username) => `  ${username}: 1`).join('\n')))).toEqual([
    '4: overrides holds 10001 usernames; there can be 10000',
  ]);
  expect(faultsOf(`deployment: {id: demo}\nsessionLimit:\n  whitelist: [${many.join(', ')}]`)).toEqual([
    '3: sessionLimit.whitelist must hold at most 10000 usernames, this one has 10001',
  ]);
});

test('what a file leaves out is not wanted, whatever stands beside it', () => {
  const wanted = (yaml: string) => {
    const file = read(yaml);
    return file.ok ? file.wanted : file.faults;
  };
  expect(wanted('deployment: {id: demo}')).toEqual({ deployment: { id: 'demo', fields: {} } });
  expect(wanted('deployment: {id: demo}\nsessionLimit: {}\noverrides: {}')).toEqual({
    deployment: { id: 'demo', fields: {} },
    sessionLimit: {},
    overrides: new Map(),
  });
  expect(
    wanted('deployment: {name: "007", mqttHost: Fleet.MQTT.localhost}\nsessionLimit: {whitelist: [b, a]}'),
  ).toEqual({
    deployment: { name: '007', fields: { mqttHost: 'fleet.mqtt.localhost' } },
    sessionLimit: { whitelist: ['a', 'b'] },
  });
});
