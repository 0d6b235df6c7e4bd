// The main job, at the wire, with real clients over every protocol version and both transports (S3, S4, S5, S10).

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connackBytes, join, refusalOf, type Transport, type Version } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

const ways = ([3, 4, 5] as const).flatMap((version) =>
  (['tcp', 'tls'] as const).map((transport) => [version, transport] as const),
);

describe.each(ways)('MQTT protocol level %i over %s', (version: Version, transport: Transport) => {
  const how = { version, transport };
  const quota = version === 5 ? 151 : 3;

  test('N sessions are admitted, the next is told so by the exact CONNACK bytes, and a disconnect makes room', async () => {
    await rig.limit(2);
    const one = await join(rig.product, { ...how, clientId: 'one' });
    const two = await join(rig.product, { ...how, clientId: 'two' });
    expect(await rig.used('alice')).toBe(2);

    const bytes = await connackBytes(rig.product, { ...how, clientId: 'three' });
    if (version === 5) {
      expect(bytes[0]).toBe(0x20);
      expect(bytes.subarray(2, 4).toString('hex')).toBe('0097');
      expect(bytes.toString('utf8')).toContain('quota');
    } else {
      expect(bytes.toString('hex')).toBe('20020003');
    }
    expect(await refusalOf(join(rig.product, { ...how, clientId: 'four' }))).toBe(quota);
    expect(await rig.used('alice')).toBe(2);

    await two.endAsync();
    await eventually(async () => (await rig.used('alice')) === 1, 'the disconnect frees');
    const three = await join(rig.product, { ...how, clientId: 'three' });
    await Promise.all([one.endAsync(), three.endAsync()]);
    await eventually(async () => (await rig.used('alice')) === 0, 'all are gone');
  });

  test('the same client id again is admitted at the limit and changes no count', async () => {
    await rig.limit(1);
    const first = await join(rig.product, { ...how, clientId: 'same' });
    const second = await join(rig.product, { ...how, clientId: 'same' });
    expect(await rig.used('alice')).toBe(1);
    expect(await refusalOf(join(rig.product, { ...how, clientId: 'other' }))).toBe(quota);
    await second.endAsync();
    await first.endAsync(true);
    await eventually(async () => (await rig.used('alice')) === 0, 'both connections are gone');
  });

  test('a whitelisted username passes the limit and is counted', async () => {
    await rig.limit(1, { whitelist: ['bridge'] });
    const clients = await Promise.all(
      ['a', 'b', 'c'].map((clientId) => join(rig.product, { ...how, clientId, username: 'bridge' })),
    );
    expect(await rig.used('bridge')).toBe(3);
    await Promise.all(clients.map((client) => client.endAsync()));
    await eventually(async () => (await rig.used('bridge')) === 0, 'all are gone');
  });

  test('a persistent session keeps its place until it expires, and not a moment longer', async () => {
    await rig.limit(1);
    const kept = await join(rig.product, { ...how, clientId: 'kept', clean: false, expirySeconds: 600 });
    await kept.endAsync();
    await eventually(async () => {
      const { body } = await rig.api('GET', '/deployments/demo/clients/kept');
      return body.state === 'retained';
    }, 'the session is retained');
    expect(await rig.used('alice')).toBe(1);
    expect(await refusalOf(join(rig.product, { ...how, clientId: 'other' }))).toBe(quota);

    rig.advance(version === 5 ? 605 : 3605);
    expect(await rig.used('alice')).toBe(0);
    // At a full quota the expired session is reclaimed within the same CONNECT (S11).
    const other = await join(rig.product, { ...how, clientId: 'other' });
    await other.endAsync();
    await eventually(async () => (await rig.used('alice')) === 0, 'all are gone');
  });
});
