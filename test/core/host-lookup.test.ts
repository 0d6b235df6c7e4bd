import { expect, test } from 'vitest';
import { createHostLookup } from '../../shared/app/host-lookup.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { isWithin, parseMqttHost } from '../../shared/domain/mqtt-host.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/errors.ts';

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

test('a name in the own domain says its deployment itself, and nobody is asked', async () => {
  const { rig, find } = startLookup({}, 'mqtt.example.com');
  expect(await find('demo.mqtt.example.com')).toBe('demo');
  expect(await find('DEMO.Mqtt.Example.Com')).toBe('demo');
  expect(await find('a.b.mqtt.example.com')).toBeUndefined();
  expect(rig.asked).toEqual([]);
});

test('any other name is asked for once in four seconds, known or not', async () => {
  const { rig, find } = startLookup({ 'broker.acme.com': 'acme-one' }, 'mqtt.example.com');
  for (let n = 0; n < 5; n++) {
    expect(await find('broker.acme.com')).toBe('acme-one');
    expect(await find('stranger.acme.com')).toBeUndefined();
    rig.now += 1_100;
  }
  expect(rig.asked).toEqual(['broker.acme.com', 'stranger.acme.com', 'broker.acme.com', 'stranger.acme.com']);
});

test('what is no DNS name is nobody’s, and not worth a question', async () => {
  const { rig, find } = startLookup({}, undefined);
  for (const name of [
    '',
    'localhost',
    '127.0.0.1',
    'x-ats.iot.eu-central-1.amazonaws.com',
    'a..b',
    '-a.b',
    `${'x'.repeat(64)}.com`,
    'a|b.com',
    'ex\u212Aample.com',
  ])
    expect(await find(name)).toBeUndefined();
  expect(rig.asked).toEqual([]);
});

test('S17: while the database does not answer, what was known minutes ago holds, also that it is none', async () => {
  const { rig, find } = startLookup({ 'broker.acme.com': 'acme-one' });
  await find('broker.acme.com');
  await find('shared.example.com');
  rig.down = true;
  rig.now = 14 * 60_000;
  expect(await find('broker.acme.com')).toBe('acme-one');
  expect(await find('shared.example.com')).toBeUndefined();
  await expect(find('never-seen.example.com')).rejects.toBeInstanceOf(StoreUnavailable);
  rig.now = 16 * 60_000;
  await expect(find('broker.acme.com')).rejects.toBeInstanceOf(StoreUnavailable);
});

test('a database that does not answer is no answer, and is asked again', async () => {
  const { rig, find } = startLookup({ 'broker.acme.com': 'acme-one' });
  rig.down = true;
  await expect(find('broker.acme.com')).rejects.toBeInstanceOf(StoreUnavailable);
  rig.down = false;
  expect(await find('broker.acme.com')).toBe('acme-one');
});

test.each([
  ['mqtt.example.com', true],
  ['a.b', true],
  ['1.example.com', true],
  ['example.1a', true],
  ['1.2.3.4', false],
  ['example', false],
  ['example.com.', false],
  ['exa_mple.com', false],
  [`${'a.'.repeat(126)}a`, true],
  [`${'a.'.repeat(127)}a`, false],
])('%s may be a server name: %s', (raw, may) => {
  expect(parseMqttHost(raw).ok).toBe(may);
});

test('a domain holds itself and what ends in it, not what only sounds like it', () => {
  expect(['a.com', 'b.a.com', 'ba.com', 'a.com.b'].map((host) => isWithin(host, 'a.com'))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
