// What an installation may choose, and that nothing else than was meant is ever deployed.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, describe, expect, test } from 'vitest';
import { recordedNames } from '../../infra/choices.ts';
import { type ChoicesFile, readChoicesFile } from '../../infra/choices-file.ts';
import { type Installation, readInstallation } from '../../infra/installation.ts';

const folder = mkdtempSync(join(tmpdir(), 'headcount-choices-'));
afterAll(() => rmSync(folder, { recursive: true }));

const dropped = ['restoredTableStreamArn'];
const nothing = { console: true, authorizerConcurrency: 500, machineClients: [], recorded: {}, dropped };
const path = '/operators/headcount.json';

const read = (context: Record<string, unknown>, file?: ChoicesFile): Installation =>
  readInstallation(new App({ context }).node, file);
const fromFile = (choices: Record<string, unknown>, context: Record<string, unknown> = {}): Installation =>
  read(context, { path, choices });

let files = 0;
function write(text: string): string {
  files += 1;
  const written = join(folder, `choices-${files}.json`);
  writeFileSync(written, text);
  return written;
}

describe('the choices file', () => {
  test('is the one at the default place, or else the one that the variable names', () => {
    const usual = write('{"noticeBus": "usual"}');
    const named = write('{"noticeBus": "named"}');
    expect(readChoicesFile({}, usual)).toEqual({ path: usual, choices: { noticeBus: 'usual' } });
    expect(readChoicesFile({ HEADCOUNT_CHOICES: named }, usual).choices).toEqual({ noticeBus: 'named' });
  });

  test('that is absent at the default place means the defaults', () => {
    const file = readChoicesFile({}, join(folder, 'absent.json'));
    expect(read({}, file)).toEqual(nothing);
  });

  test('may be a link; a link that leads nowhere is an error, and not the defaults', () => {
    const link = join(folder, 'link.json');
    symlinkSync(write('{"console": false}'), link);
    expect(readChoicesFile({}, link).choices).toEqual({ console: false });
    const lost = join(folder, 'lost.json');
    symlinkSync(join(folder, 'moved.json'), lost);
    expect(() => readChoicesFile({}, lost)).toThrow(`the choices file ${lost} cannot be read: ENOENT`);
  });

  test('that the variable names and that does not exist is an error with both', () => {
    const absent = join(folder, 'absent.json');
    expect(() => readChoicesFile({ HEADCOUNT_CHOICES: absent })).toThrow(
      `the choices file ${absent} (HEADCOUNT_CHOICES is "${absent}") cannot be read: ENOENT`,
    );
  });

  test('a file that cannot be one of choices is refused before it is read in depth', () => {
    const huge = write('['.repeat(200_000));
    expect(() => readChoicesFile({}, huge)).toThrow(`the choices file ${huge} has more than 100000 characters`);
  });

  test('that is a folder, or has no name because a variable was lost, is an error', () => {
    mkdirSync(join(folder, 'folder'));
    expect(() => readChoicesFile({ HEADCOUNT_CHOICES: join(folder, 'folder') })).toThrow('EISDIR');
    expect(() => readChoicesFile({ HEADCOUNT_CHOICES: '' })).toThrow('HEADCOUNT_CHOICES is empty; allowed is');
  });

  test.each([
    [
      'an absent comma',
      '{\n  "console": true\n  "reserve": false\n}',
      'line 3: found "reserve"; allowed is "," or "}"',
    ],
    ['a comma too many', '{\n  "console": true,\n}', 'line 3: found "}"; allowed is a name in double quotes'],
    ['a word without quotes', '{\n"noticeBus":\ndefault}', 'line 3: found "default"; allowed is a text in double'],
    ['an end too early', '{"machineClients": {\n"ci": [', 'line 2: found the end of the file; allowed is'],
    ['a text that does not end', '{\n"noticeBus": "default\n}', 'line 2: found'],
    ['an absent colon', '{"console" true}', 'line 1: found "true"; allowed is ":" after "console"'],
    ['more behind the end', '{}\n{}', 'line 2: found "{" behind the end'],
    [
      'a name given twice',
      '{\n"console": true,\n"console": false}',
      'line 3: "console" is given twice; allowed is once',
    ],
    ['a client given twice', '{"machineClients": {"ci": null,\n"ci": ["usage:read"]}}', 'line 2: "ci" is given twice'],
    ['nothing', '', 'line 1: found the end of the file'],
    ['a list', '[]', 'line 1: the file holds no object; allowed is {"<choice>": <value>, ...}'],
    ['null', 'null', 'line 1: the file holds no object'],
  ])('with %s is refused with its path and the line', (_, text, mistake) => {
    const bad = write(text);
    expect(() => readChoicesFile({ HEADCOUNT_CHOICES: bad })).toThrow(`${bad}, ${mistake}`);
  });

  test.each([
    ' {"a":[1,-2.5e3,{"b":null,"c":[]},"\\u00e9\\n\\"\\\\",true,false]}\r\n',
    '{"__proto__": {"a": 1}, "é😀": ""}',
    '{}',
  ])('is read as JSON.parse reads it: %s', (text) => {
    expect(readChoicesFile({ HEADCOUNT_CHOICES: write(`\ufeff${text}`) }).choices).toEqual(JSON.parse(text));
  });
});

describe('a name', () => {
  test('that is misspelt ends the synthesis, with where it was given and those that there are', () => {
    expect(() => read({ frontDor: 'true' })).toThrow(
      /no choice is named frontDor \(-c, .*\); those that there are: .*frontDoor/,
    );
    expect(() => fromFile({ frontDor: true, 'aws:x': 1 })).toThrow(
      /no choice is named frontDor, aws:x \(\/operators\/headcount\.json\); those that there are: .*frontDoor/,
    );
  });

  test('of a folder on the deploying machine is none that the file may hold', () => {
    expect(() => fromFile({ consoleFolder: '/here' })).toThrow('no choice is named consoleFolder (/operators');
  });

  test('that CDK and its CLI keep in the context is none of the choices', () => {
    const ofCdk = { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:checkSecretUsage': true, 'cli-telemetry': false };
    expect(read({ ...ofCdk, 'availability-zones:account=1:region=eu': [] })).toEqual(nothing);
  });

  test('that has different values in the file and with -c is refused with both', () => {
    expect(() => fromFile({ frontDoorMinTasks: 2 }, { frontDoorMinTasks: '3' })).toThrow(
      'frontDoorMinTasks is given twice: 2 in /operators/headcount.json, and "3" with -c',
    );
    expect(() => fromFile({ noticeBus: null }, { noticeBus: 'alerts' })).toThrow('noticeBus is given twice: null in');
    expect(() => fromFile({ machineClients: { ci: ['usage:read'] } }, { machineClients: {} })).toThrow('given twice');
  });

  test('that has the same value in both is taken, and -c may add others', () => {
    expect(fromFile({ reserve: false }, { reserve: 'false', noticeBus: 'alerts' })).toMatchObject({
      authorizerConcurrency: undefined,
      noticeBus: 'alerts',
    });
  });
});

describe('a value that is not allowed is refused with what was given, what is allowed, and where', () => {
  test.each([
    [{ console: 'no' }, 'console is "no" (/operators/headcount.json); allowed is true or false'],
    [{ reserve: 0 }, 'reserve is 0 (/operators/headcount.json); allowed is true or false'],
    [{ authorizerConcurrency: [9] }, 'authorizerConcurrency is [9] (/operators/headcount.json); allowed is a whole'],
    [{ authorizerConcurrency: true }, 'authorizerConcurrency is true'],
    [
      { reserve: false, authorizerConcurrency: 9 },
      'authorizerConcurrency is 9 (/operators/headcount.json); allowed is no',
    ],
    [
      { connectDomain: 'iot.example.com' },
      'connectCertificateArn is missing (/operators/headcount.json); allowed is a whole',
    ],
    [{ consoleDomain: 'Example', consoleCertificateArn: '' }, 'consoleDomain is "Example" (/operators/headcount.json)'],
    [{ frontDoor: true }, 'mqttDomain is missing (/operators/headcount.json); allowed is a domain name'],
    [
      { mqttDomain: 'mqtt.example.com' },
      'frontDoor is missing (/operators/headcount.json); allowed is true with mqttDo',
    ],
    [{ frontDoor: true, frontDoorMinTasks: 5, frontDoorMaxTasks: 4 }, 'frontDoorMaxTasks is 4'],
    [{ restoredTable: 'a' }, 'restoredTable is "a" (/operators/headcount.json); allowed is the name of a table'],
    [
      { noticeBus: 'none' },
      'noticeBus is "none" (/operators/headcount.json); allowed is the name of an EventBridge bus',
    ],
    [
      { machineClients: { ci: ['usage:reed'] } },
      'machineClients is "usage:reed" (/operators/headcount.json); allowed is for ci',
    ],
    [{ machineClients: { ci: [] } }, 'machineClients is [] (/operators/headcount.json); allowed is for ci'],
    [{ machineClients: { ci: 'usage:read' } }, 'machineClients is "usage:read"'],
    [{ machineClients: { CI: ['usage:read'] } }, 'machineClients is "CI"'],
    [{ machineClients: { operator: ['usage:read'] } }, 'machineClients is "operator"'],
    [{ machineClients: ['ci'] }, 'machineClients is ["ci"] (/operators/headcount.json); allowed is {"<name>"'],
    [{ machineClients: 'ci' }, 'machineClients is "ci"'],
    [{ machineClients: { ci: ['tenants:admin'] } }, 'machineClients is "tenants:admin"'],
    [
      { machineClients: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`ci-${n}`, ['usage:read']])) },
      'machineClients is "50 names" (/operators/headcount.json); allowed is at most 49 names',
    ],
    [
      {
        consoleDomain: 'console.example.com',
        consoleCertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/one',
      },
      'allowed is the ARN of a certificate in us-east-1',
    ],
    [
      { connectDomain: 'iot.example.com', connectCertificateArn: 'arn:x:acm' },
      'allowed is a whole ARN, as arn:aws:acm:',
    ],
    [{ frontDoorImage: 1, frontDoor: true, mqttDomain: 'a.example' }, 'mqttCertificateSecretArn is missing'],
  ])('%j', (choices, sentence) => {
    expect(() => fromFile(choices)).toThrow(sentence);
  });

  test('also where it came with -c', () => {
    expect(() => fromFile({ reserve: false }, { console: 'no' })).toThrow('console is "no" (-c, or the context of');
  });
});

test('the file that docs/deploy.md shows is allowed, and its table has each choice', () => {
  const text = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Choices'), text.indexOf('## People and machines'));
  const shown = /```json\n(.+?)```/s.exec(section)?.[1] ?? '';
  const { choices } = readChoicesFile({ HEADCOUNT_CHOICES: write(shown) });
  expect(fromFile(choices).machineClients).toHaveLength(1);
  const explained = [...section.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, names = '']) => names.split(', '));
  expect([...new Set(explained)].sort()).toEqual(recordedNames.map((name) => `\`${name}\``).sort());
});

test('machine clients are the same as an object and as text', () => {
  const clients = [
    { name: 'acme-ci', scopes: ['settings:read', 'settings:write'] },
    { name: 'b', scopes: ['usage:read'] },
  ];
  const asObject = { 'acme-ci': ['settings:read', 'settings:write'], b: ['usage:read'] };
  expect(fromFile({ machineClients: asObject }).machineClients).toEqual(clients);
  expect(read({ machineClients: 'acme-ci:settings:read+settings:write, b:usage:read' }).machineClients).toEqual(
    clients,
  );
});

test('what was chosen is recorded by name, each machine client by its own, and no folder of the deploying machine', () => {
  const { recorded } = fromFile(
    { console: false, machineClients: { ci: ['usage:read'], old: null }, noticeBus: null },
    { frontDoor: 'false', mqttDomain: 'mqtt.example.com', consoleFolder: '/here' },
  );
  expect(recorded).toEqual({
    console: false,
    frontDoor: 'false',
    mqttDomain: 'mqtt.example.com',
    'machineClients.ci': ['usage:read'],
  });
});

test('null drops a choice or a machine client on purpose: it counts as absent, and is named as dropped', () => {
  const some = fromFile({ noticeBus: null, frontDoor: null, mqttDomain: 'a.example', machineClients: { ci: null } });
  expect(some).toEqual({
    ...nothing,
    recorded: { mqttDomain: 'a.example' },
    dropped: [...dropped, 'noticeBus', 'frontDoor', 'machineClients.ci'],
  });
  expect(fromFile({ machineClients: null })).toEqual({ ...nothing, dropped: [...dropped, 'machineClients'] });
});

test('a choice that has no meaning any more is accepted, ignored, dropped from the record, and not offered', () => {
  const restored = { restoredTable: 'restored' };
  const withStream = {
    ...restored,
    restoredTableStreamArn: 'arn:aws:dynamodb:eu-central-1:111111111111:table/t/stream/s',
  };
  expect(fromFile(withStream)).toEqual(fromFile(restored));
  expect(fromFile(restored)).toEqual({ ...nothing, restoredTable: { tableName: 'restored' }, recorded: restored });
  expect(read(withStream)).toEqual(fromFile(restored));
  expect(() => fromFile({ restoredTables: 'restored' })).toThrow(/^(?!.*restoredTableStreamArn)/);
});
