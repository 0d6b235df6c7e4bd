import { expect, test } from 'vitest';
import { createHostLookup } from '../../shared/app/admission/host-lookup.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { parseMqttHost } from '../../shared/domain/mqtt-host.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';

function startLookup(known: Record<string, string>, mqttDomain?: string) {
  const rig = { now: 0, asked: [] as string[], down: false };
  const getDeploymentOfHost = async (host: string) => {
    rig.asked.push(host);
    if (rig.down) throw new StoreUnavailable(new Error('down'));
    return known[host] as DeploymentId | undefined;
  };
  const clock = { now: () => ms(rig.now) };
  return { rig, find: createHostLookup({ getDeploymentOfHost }, clock, mqttDomain) };
}

const domain = 'mqtt.example.com';

test('S25: a name below the MQTT domain stands for the deployment that has set it, else for the id that it is', async () => {
  const { find } = startLookup({ [`fleet.${domain}`]: 'acme-one' }, domain);
  for (const [name, deployment] of [
    [`fleet.${domain}`, 'acme-one'],
    [`Fleet.MQTT.Example.com`, 'acme-one'],
    [`fleet.${domain}.`, 'acme-one'],
    [`acme-one.${domain}`, 'acme-one'],
    [`demo.${domain}`, 'demo'],
  ] as const)
    expect(await find(name)).toBe(deployment);
});

test('S25: whatever lies below the MQTT domain decides alone, also what no deployment can have', async () => {
  const { rig, find } = startLookup({}, domain);
  for (const label of ['a.b', '', '-a', 'a-', 'a_b', 'x'.repeat(64), '*', 'a b', '\u00e9', '..'])
    expect(await find(`${label}.${domain}`)).toBe(label);
  expect(rig.asked).toEqual([]);
});

test('S25: any other name leaves the choice to the suffix, and is not worth a question', async () => {
  const { rig, find } = startLookup({ 'broker.acme.com': 'acme-one', [domain]: 'acme-one' }, domain);
  const others = ['', '.', 'localhost', '127.0.0.1', 'x-ats.iot.eu-central-1.amazonaws.com', 'broker.acme.com'];
  for (const name of [...others, domain, `x${domain}`, `demo.${domain}.org`, `demo.${domain}..`, 'demo.mqtt.example'])
    expect(await find(name)).toBeUndefined();
  expect(rig.asked).toEqual([]);
});

test('S25: without an MQTT domain every name leaves the choice to the suffix', async () => {
  const { rig, find } = startLookup({ 'broker.acme.com': 'acme-one' });
  for (const name of ['broker.acme.com', 'demo.mqtt.localhost', 'demo', '']) expect(await find(name)).toBeUndefined();
  expect(rig.asked).toEqual([]);
});

test('S6: a label is asked for once in four seconds, known or not', async () => {
  const { rig, find } = startLookup({ [`fleet.${domain}`]: 'acme-one' }, domain);
  for (let n = 0; n < 5; n++) {
    expect(await find(`fleet.${domain}`)).toBe('acme-one');
    expect(await find(`nobody.${domain}`)).toBe('nobody');
    rig.now += 1_100;
  }
  const asked = [`fleet.${domain}`, `nobody.${domain}`];
  expect(rig.asked).toEqual([...asked, ...asked]);
});

test('S17: while the database does not answer, what was known minutes ago holds, also that it is none', async () => {
  const { rig, find } = startLookup({ [`fleet.${domain}`]: 'acme-one' }, domain);
  await find(`fleet.${domain}`);
  await find(`demo.${domain}`);
  rig.down = true;
  rig.now = 14 * 60_000;
  expect(await find(`fleet.${domain}`)).toBe('acme-one');
  expect(await find(`demo.${domain}`)).toBe('demo');
  await expect(find(`never-seen.${domain}`)).rejects.toBeInstanceOf(StoreUnavailable);
  rig.now = 16 * 60_000;
  await expect(find(`fleet.${domain}`)).rejects.toBeInstanceOf(StoreUnavailable);
});

test('a database that does not answer is no answer, and is asked again', async () => {
  const { rig, find } = startLookup({ [`fleet.${domain}`]: 'acme-one' }, domain);
  rig.down = true;
  await expect(find(`fleet.${domain}`)).rejects.toBeInstanceOf(StoreUnavailable);
  rig.down = false;
  expect(await find(`fleet.${domain}`)).toBe('acme-one');
});

test.each([
  ['fleet.mqtt.example.com', true],
  ['FLEET.mqtt.EXAMPLE.com', true],
  ['1.mqtt.example.com', true],
  [`${'x'.repeat(63)}.mqtt.example.com`, true],
  [`${'x'.repeat(64)}.mqtt.example.com`, false],
  ['mqtt.example.com', false],
  ['.mqtt.example.com', false],
  ['a.b.mqtt.example.com', false],
  ['fleet.mqtt.example.com.', false],
  ['fleet.mqtt.example.com.evil.org', false],
  ['fleetmqtt.example.com', false],
  ['-a.mqtt.example.com', false],
  ['a_b.mqtt.example.com', false],
  ['*.mqtt.example.com', false],
  ['\u212Afleet.mqtt.example.com', false],
  ['mqtt.acme.com', false],
  ['x-ats.iot.eu-central-1.amazonaws.com', false],
  ['', false],
])('S25: %s may be set as the server name of a deployment: %s', (raw, may) => {
  expect(parseMqttHost(raw, domain).ok).toBe(may);
  expect(parseMqttHost(raw, undefined).ok).toBe(false);
});

test('S24: labels that are invented by one address wait behind the first of another', async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const getDeploymentOfHost = async (host: string): Promise<undefined> => {
    asked.push(host);
    await new Promise<void>((answer) => answers.push(answer));
  };
  const find = createHostLookup({ getDeploymentOfHost }, { now: () => ms(0) }, domain);
  const flood = Array.from({ length: 200 }, (_, n) => find(`made-up-${n}.${domain}`, '192.0.2.1'));
  const other = find(`fleet.${domain}`, '192.0.2.2');
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked.length).toBeLessThan(200);
  let served = false;
  void other.then(() => {
    served = true;
  });
  while (!served) {
    answers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(asked.length).toBeLessThan(100);
  while (answers.length > 0) {
    answers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await Promise.all(flood)).toHaveLength(200);
});
