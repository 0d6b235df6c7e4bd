// A setting is one entry of a table: what follows from the entry.

import { OpenAPIHono, z } from '@hono/zod-openapi';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { shapesOf } from '../../functions/api/setting-schemas.ts';
import { parseDeploymentItem, parseLimitItem } from '../../shared/adapters/dynamodb/settings/settings-item.ts';
import { checkFields } from '../../shared/app/common/fault.ts';
import { checksOf } from '../../shared/app/settings/setting-checks.ts';
import {
  defaultsOf,
  deploymentSettings,
  differing,
  limitSettings,
  type Settings,
  settingsIn,
} from '../../shared/domain/settings.ts';
import { deploymentOf } from '../support/deployment.ts';

const ofEachKind = {
  sealed: { kind: 'flag', default: false },
  seats: { kind: 'number', from: 2, to: 5, default: 3 },
  pause: { kind: 'seconds', from: 0, to: 60, default: 60 },
  colour: { kind: 'choice', of: ['red', 'green'], default: 'green', description: 'Of the door' },
} as const satisfies Settings;

const values = [true, false, 'true', '', null, [], {}, 0, 1, 2, 2.5, 5, 6, 60, 61, -1, '2', 'red', 'green', 'blue'];

describe.each(Object.entries(ofEachKind))('%s', (name, setting) => {
  const table = { [name]: setting };
  const shapes = shapesOf(table);

  test('takes from a caller what the reference takes, and refuses the rest by its rule', () => {
    const taken = values.filter((value) => checkFields({ [name]: value }, checksOf(table)).ok);
    for (const shape of Object.values(shapes))
      expect(values.filter((value) => z.strictObject(shape).safeParse({ [name]: value }).success)).toEqual(taken);
    expect([taken.length > 0, taken.length < values.length]).toEqual([true, true]);
  });

  test('may be left out of a change, and of a whole, which gets the default', () => {
    expect(z.strictObject(shapes.some).parse({})).toEqual({});
    expect(z.strictObject(shapes.whole).parse({})).toEqual(defaultsOf(table));
    expect(z.strictObject(shapes.all).safeParse({}).success).toBe(false);
  });
});

test('the rule says what is allowed', () => {
  const wrong = Object.fromEntries(Object.keys(ofEachKind).map((name) => [name, null]));
  const checked = checkFields(wrong, checksOf(ofEachKind));
  expect(checked.ok ? [] : checked.faults.map(({ name, problem }) => `${name} ${problem}`)).toEqual([
    'sealed must be true or false',
    'seats must be a whole number from 2 to 5',
    'pause must be a whole number from 0 to 60',
    'colour must be red or green',
  ]);
});

test('the reference shows a description where there is one', () => {
  const app = new OpenAPIHono();
  for (const [name, shape] of Object.entries(shapesOf(ofEachKind))) app.openAPIRegistry.register(name, z.object(shape));
  const { components } = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'A test', version: '1' } });
  for (const name of ['all', 'some', 'whole'])
    expect(components?.schemas?.[name]).toMatchObject({
      properties: { seats: { minimum: 2, maximum: 5 }, colour: { description: 'Of the door' } },
    });
});

test('the typed client sends and gets values of the declared types, which the compiler checks', () => {
  const { all, some, whole } = shapesOf(ofEachKind);
  const [answer, change, input] = [z.object(all), z.object(some), z.object(whole)];
  interface Each {
    readonly sealed: boolean;
    readonly seats: number;
    readonly pause: number;
    readonly colour: 'red' | 'green';
  }
  type Some = { readonly [Name in keyof Each]?: Each[Name] | undefined };
  expectTypeOf<Readonly<z.infer<typeof answer>>>().toEqualTypeOf<Each>();
  expectTypeOf<Readonly<z.input<typeof change>>>().toEqualTypeOf<Some>();
  expectTypeOf<Readonly<z.input<typeof input>>>().toEqualTypeOf<Some>();
});

test('two objects differ in the settings of the table, and in nothing else that they hold', () => {
  const one = { ...defaultsOf(ofEachKind), version: 1 };
  const other = { ...one, colour: 'red', version: 2 } as const;
  expect(differing(ofEachKind, one, other)).toEqual(['colour']);
  expect(settingsIn(ofEachKind, other)).toEqual({ ...defaultsOf(ofEachKind), colour: 'red' });
});

const ofBoth = ['pk', 'sk', 'ttl', 'version'];
const ofLimit = ['configured', 'whitelist', 'whitelistId', 'whitelistSize', 'generation', 'lists', 'retired'];
const ofOverrides = ['overrideCount', 'overrideVersion', 'overridesRemoved', 'mayHaveOverrides'];
const ofDeployment = ['id', 'deploymentId', 'tenantId', 'name', 'mqttHost', 'status', 'createdAt'];

describe.each([
  ['session limit', limitSettings, [...ofLimit, ...ofOverrides, 'updatedAt', 'usernamesOverLimit', 'etag']],
  ['deployment', deploymentSettings, [...ofDeployment, 'etag']],
] as const)('the table of a %s', (_, table, taken) => {
  test('has no name that its item, its answers or a file use for something else', () => {
    expect(Object.keys(table).filter((name) => [...ofBoth, ...taken].includes(name))).toEqual([]);
  });

  test('has defaults that a caller may send', () => {
    expect(checkFields(defaultsOf<Settings>(table), checksOf<Settings>(table)).ok).toBe(true);
  });
});

describe('an item of the table', () => {
  const { mqttHost: _, ...deployment } = deploymentOf('demo');
  const without = (item: object, table: Settings) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => !(name in table)));
  const limit = { configured: true, ...defaultsOf(limitSettings), whitelistSize: 0, updatedAt: 5, version: 1 };

  test('that was written before a setting existed has the default of the setting', () => {
    expect(parseDeploymentItem(without(deployment, deploymentSettings))).toMatchObject(defaultsOf(deploymentSettings));
    const { configured } = parseLimitItem(without(limit, limitSettings));
    expect(configured?.settings).toEqual(defaultsOf(limitSettings));
  });

  test('keeps a number that is out of bounds by now', () => {
    const { configured } = parseLimitItem({ ...limit, maxSessionsPerUsername: 2_000_000 });
    expect(configured?.settings.maxSessionsPerUsername).toBe(2_000_000);
  });

  test('with a value of another type is refused', () => {
    expect(() => parseLimitItem({ ...limit, maxSessionsPerUsername: '7' })).toThrow('maxSessionsPerUsername');
    expect(() => parseDeploymentItem({ ...deployment, clientIdTakeover: 'ask' })).toThrow('clientIdTakeover');
  });
});
