import type { IClientOptions, MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import { until } from '../support/until.ts';
import { allowAllBut, type Bench, startBench, versions } from './broker-bench.ts';

let bench: Bench;
const asked: string[] = [];
beforeEach(async () => {
  asked.length = 0;
  bench = await startBench({
    persistentExpirySeconds(deploymentId) {
      asked.push(deploymentId);
      return 60;
    },
  });
});
afterEach(() => bench.close());

const id = 'demo:c1';
const says = (): Promise<BrokerSays> => bench.broker.getConnection(id as BrokerClientId);

describe.each(versions)('sessions of MQTT version %i', (version) => {
  // MQTT 3.1 has no flag that says whether a session was there.
  const persistent: IClientOptions = {
    clean: false,
    resubscribe: false,
    ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
  };

  async function leave(client: MqttClient): Promise<void> {
    await client.endAsync();
    await until(async () => expect(await says()).not.toMatchObject({ kind: 'connected' }));
  }

  async function subscribeAndLeave(): Promise<void> {
    const client = await bench.connect(version, id, persistent);
    await client.subscribeAsync('demo/#', { qos: 1 });
    await leave(client);
  }

  /** Connects, and answers what was queued for it and whether the broker knew the session. */
  async function comeBack(
    options: IClientOptions,
  ): Promise<{ readonly queued: string[]; readonly sessionPresent: boolean }> {
    const queued: string[] = [];
    let sessionPresent = false;
    const client = await bench.connect(version, id, options, (coming) => {
      coming.on('message', (topic) => queued.push(topic));
      coming.once('connect', (connack) => {
        sessionPresent = connack.sessionPresent;
      });
    });
    // Anything queued comes before the answer to this.
    await client.subscribeAsync('demo/end');
    return { queued, sessionPresent };
  }

  test('a clean session is absent as soon as its connection is over', async () => {
    expect(await says()).toEqual({ kind: 'absent' });
    const since = bench.time.clock.now();
    const client = await bench.connect(version, id);
    bench.time.advance(1_000);
    expect(await says()).toEqual({ kind: 'connected', since, expirySeconds: 0 });
    await leave(client);
    expect(await says()).toEqual({ kind: 'absent' });
    expect(await bench.broker.deleteConnection(id as BrokerClientId, { cleanSession: true })).toBe('gone');
  });

  test('a persistent one is retained until its expiry, and absent from then on', async () => {
    await subscribeAndLeave();
    const disconnectedAt = bench.time.clock.now();
    bench.time.advance(59_999);
    expect(await says()).toEqual({ kind: 'retained', disconnectedAt, expirySeconds: 60 });
    bench.time.advance(1);
    expect(await says()).toEqual({ kind: 'absent' });
    expect(asked).toEqual(version === 5 ? [] : ['demo']);
  });

  test('within its expiry it is resumed with what was queued, under the same session identifier', async () => {
    await subscribeAndLeave();
    const sender = await bench.connect(version, 'demo:sender');
    await sender.publishAsync('demo/queued', 'x', { qos: 1 });
    bench.time.advance(59_999);
    const { queued, sessionPresent } = await comeBack(persistent);
    expect(sessionPresent).toBe(version !== 3);
    await until(() => expect(queued).toEqual(['demo/queued']));
    const connected = bench.events.filter((event) => event.clientId === id && event.eventType === 'connected');
    expect(connected.map((event) => event.versionNumber)).toEqual([0, 1]);
    expect(new Set(connected.map((event) => event.sessionIdentifier)).size).toBe(1);
  });

  test.each([
    ['a clean start', 0, { clean: true }],
    ['coming back after the expiry', 60_000, {}],
  ])('%s inherits neither subscriptions nor queue (S9)', async (_, pauseMs, change) => {
    await subscribeAndLeave();
    const sender = await bench.connect(version, 'demo:sender');
    await sender.publishAsync('demo/queued', 'x', { qos: 1 });
    bench.time.advance(pauseMs);
    const { queued, sessionPresent } = await comeBack({ ...persistent, ...change });
    expect(sessionPresent).toBe(false);
    await sender.publishAsync('demo/later', 'x', { qos: 1 });
    await sender.publishAsync('demo/end', 'x');
    await until(() => expect(queued).toEqual(['demo/end']));
    const connected = bench.events.filter((event) => event.clientId === id && event.eventType === 'connected');
    expect(new Set(connected.map((event) => event.sessionIdentifier)).size).toBe(2);
  });

  test('a clean start over a live connection inherits nothing of it (S9)', async () => {
    const first = await bench.connect(version, id, persistent);
    await first.subscribeAsync('demo/#', { qos: 1 });
    const { queued } = await comeBack({ ...persistent, clean: true });
    const sender = await bench.connect(version, 'demo:sender');
    await sender.publishAsync('demo/later', 'x', { qos: 1 });
    await sender.publishAsync('demo/end', 'x');
    await until(() => expect(queued).toEqual(['demo/end']));
  });

  test('the CONNACK of a session without subscriptions says that it is there', async () => {
    await leave(await bench.connect(version, id, persistent));
    const { sessionPresent } = await comeBack(persistent);
    expect(sessionPresent).toBe(version !== 3);
  });

  test('a shared subscription is resumed with its session', async () => {
    const first = await bench.connect(version, id, persistent);
    await first.subscribeAsync('$share/g/demo/jobs', { qos: 1 });
    await leave(first);
    const { queued } = await comeBack(persistent);
    const sender = await bench.connect(version, 'demo:sender');
    await sender.publishAsync('demo/jobs', 'x', { qos: 1 });
    await until(() => expect(queued).toEqual(['demo/jobs']));
  });

  test('a kick leaves a persistent session, a kick with cleanSession ends it', async () => {
    const client = await bench.connect(version, id, persistent);
    await client.subscribeAsync('demo/#', { qos: 1 });
    const kick = (cleanSession: boolean) => bench.broker.deleteConnection(id as BrokerClientId, { cleanSession });
    expect(await kick(false)).toBe('done');
    expect(await says()).toMatchObject({ kind: 'retained', expirySeconds: 60 });
    expect(await kick(true)).toBe('done');
    expect(await says()).toEqual({ kind: 'absent' });
    expect(await kick(true)).toBe('gone');
    const { queued } = await comeBack(persistent);
    const sender = await bench.connect(version, 'demo:sender');
    await sender.publishAsync('demo/later', 'x', { qos: 1 });
    await sender.publishAsync('demo/end', 'x');
    await until(() => expect(queued).toEqual(['demo/end']));
  });
});

test.each(versions)(
  'a filter that was refused is not kept in the session of MQTT version %i either',
  async (version) => {
    // May receive everything, so that only the subscription stands between it and the message.
    const own = await startBench({ authorize: async () => allowAllBut('other/*') });
    try {
      const properties = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
      const options = { clean: false, resubscribe: false, ...properties };
      const client = await own.connect(version, id, options);
      await client.subscribeAsync(['demo/a', 'other/a'], { qos: 1 }).catch(() => undefined);
      await client.endAsync();
      const sender = await own.connect(version, 'demo:sender');
      await until(() => expect(own.events.some((event) => event.eventType === 'disconnected')).toBe(true));
      for (const topic of ['other/a', 'demo/a']) await sender.publishAsync(topic, 'x', { qos: 1 });
      const queued: string[] = [];
      await own.connect(version, id, options, (coming) => coming.on('message', (topic) => queued.push(topic)));
      await until(() => expect(queued).toContain('demo/a'));
      expect(queued).toEqual(['demo/a']);
    } finally {
      await own.close();
    }
  },
);

describe('MQTT 5 DISCONNECT', () => {
  const connect = (sessionExpiryInterval: number) => bench.connect(5, id, { properties: { sessionExpiryInterval } });
  const end = (client: MqttClient, sessionExpiryInterval: number) =>
    client.endAsync(false, { properties: { sessionExpiryInterval } });

  test.each([
    [60, 0, { kind: 'absent' }],
    [60, 30, { kind: 'retained', expirySeconds: 30 }],
    [60, 604_801, { kind: 'retained', expirySeconds: 604_800 }],
    [0, 30, { kind: 'absent' }],
  ])('changes an expiry of %i s to %i s: %j', async (before, after, expected) => {
    await end(await connect(before), after);
    await until(async () => expect(await says()).toMatchObject(expected));
  });
});
