import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuthorizerEvent } from '../../functions/authorizer/event.ts';
import { until } from '../support/until.ts';
import { allowDemo, arn, type Bench, startBench, untilClosed, versions } from './broker-bench.ts';

let bench: Bench;

function statementFor(event: AuthorizerEvent): object[] {
  // `mute` may subscribe but receive nothing; `quiet` may publish but not retained.
  if (event.protocolData?.mqtt?.clientId === 'demo:mute') {
    return [{ Effect: 'Deny', Action: 'iot:Receive', Resource: '*' }];
  }
  if (event.protocolData?.mqtt?.clientId === 'demo:quiet') {
    return [{ Effect: 'Deny', Action: 'iot:RetainPublish', Resource: arn('topic/*') }];
  }
  return [];
}

beforeEach(async () => {
  bench = await startBench({
    async authorize(event) {
      const answer = allowDemo(event);
      const more = statementFor(event);
      if (more.length === 0) return answer;
      const document = JSON.stringify({ Version: '2012-10-17', Statement: more });
      return { ...answer, policyDocuments: [...(answer.policyDocuments ?? []), document] };
    },
  });
});
afterEach(() => bench.close());

function collect(client: MqttClient): string[] {
  const topics: string[] = [];
  client.on('message', (topic) => topics.push(topic));
  return topics;
}

describe.each(versions)('the policy document holds for MQTT version %i (S20)', (version) => {
  test('what it allows is delivered', async () => {
    const client = await bench.connect(version, 'demo:c1');
    await client.subscribeAsync('demo/#', { qos: 1 });
    const topics = collect(client);
    await client.publishAsync('demo/a/b', 'x', { qos: 1 });
    await until(() => expect(topics).toEqual(['demo/a/b']));
  });

  test.each([0, 1] as const)('a publish elsewhere with QoS %i reaches nobody and ends the connection', async (qos) => {
    const all = await startBench({
      authorize: async (event) => {
        const { clientId } = event.protocolData?.mqtt ?? {};
        if (clientId !== 'spy') return allowDemo(event);
        const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
        const document = JSON.stringify({ Version: '2012-10-17', Statement });
        return { isAuthenticated: true, principalId: 'spy', policyDocuments: [document] };
      },
    });
    try {
      const spy = await all.connect(5, 'spy');
      await spy.subscribeAsync('#', { qos: 1 });
      const topics = collect(spy);
      const client = await all.connect(version, 'demo:c1');
      const closed = untilClosed(client);
      client.publish('other/a', 'x', { qos }, () => undefined);
      await closed;
      await spy.publishAsync('after', 'x', { qos: 1 });
      await until(() => expect(topics).toEqual(['after']));
      expect(all.events.at(-1)).toMatchObject({ eventType: 'disconnected', disconnectReason: 'AUTH_ERROR' });
    } finally {
      await all.close();
    }
  });

  test('a retained publish needs iot:RetainPublish besides', async () => {
    const client = await bench.connect(version, 'demo:quiet');
    await client.publishAsync('demo/a', 'x', { qos: 1 });
    const closed = untilClosed(client);
    client.publish('demo/a', 'x', { qos: 1, retain: true }, () => undefined);
    await closed;
    expect(bench.events.at(-1)).toMatchObject({ disconnectReason: 'AUTH_ERROR' });
  });

  test.each(['other/a', '#', '+/a', 'demo', '$share/g/other/a', '$share/g/#', '$share/demo/#', '$SYS/#'])(
    'a subscription to %s fails and the connection stays',
    async (filter) => {
      const client = await bench.connect(version, 'demo:c1');
      const granted = client.subscribeAsync(filter);
      await expect(granted).rejects.toMatchObject({ packet: { granted: [version === 5 ? 0x87 : 0x80] } });
      expect(client.connected).toBe(true);
    },
  );

  test('what is delivered without iot:Receive is dropped', async () => {
    const mute = await bench.connect(version, 'demo:mute');
    await mute.subscribeAsync('demo/#');
    const heard = collect(mute);
    const client = await bench.connect(version, 'demo:c1');
    await client.subscribeAsync('demo/#');
    const topics = collect(client);
    await client.publishAsync('demo/a', 'x');
    await until(() => expect(topics).toEqual(['demo/a']));
    // Its own answer comes after anything that was on its way to it.
    await mute.subscribeAsync('demo/b');
    expect(heard).toEqual([]);
  });

  test.each([
    ['demo/will', ['demo/will', 'demo/end']],
    ['other/will', ['demo/end']],
  ])('a will on %s gives %j', async (topic, expected) => {
    const watcher = await bench.connect(version, 'demo:watcher');
    await watcher.subscribeAsync('demo/#');
    const topics = collect(watcher);
    const client = await bench.connect(version, 'demo:c1', {
      will: { topic, payload: Buffer.from('x'), qos: 0, retain: false },
    });
    client.stream.destroy();
    await until(() => expect(bench.events.at(-1)).toMatchObject({ disconnectReason: 'CONNECTION_LOST' }));
    await watcher.publishAsync('demo/end', 'x');
    await until(() => expect(topics).toEqual(expected));
  });

  test('each message goes to one member of a shared subscription, in turn', async () => {
    const [a, b] = await Promise.all([bench.connect(version, 'demo:a'), bench.connect(version, 'demo:b')]);
    const heard = [collect(a), collect(b)];
    for (const member of [a, b]) await member.subscribeAsync('$share/g/demo/jobs/+', { qos: 1 });
    const sender = await bench.connect(version, 'demo:c');
    for (let n = 0; n < 10; n += 1) await sender.publishAsync(`demo/jobs/${n}`, 'x', { qos: 1 });
    await until(() => expect(heard.map((topics) => topics.length)).toEqual([5, 5]));
    await a.unsubscribeAsync('$share/g/demo/jobs/+');
    await sender.publishAsync('demo/jobs/last', 'x', { qos: 1 });
    await until(() => expect(heard[1]).toContain('demo/jobs/last'));
    expect(heard[0]).not.toContain('demo/jobs/last');
  });

  test('a shared subscription takes nothing from a plain one of the same client', async () => {
    const client = await bench.connect(version, 'demo:c1');
    await client.subscribeAsync(['demo/jobs/+', '$share/g/demo/jobs/+']);
    const topics = collect(client);
    const sender = await bench.connect(version, 'demo:c2');
    await Promise.all(Array.from({ length: 200 }, (_, n) => sender.publishAsync(`demo/jobs/${n}`, 'x')));
    await until(() => expect(topics).toHaveLength(400));
    expect(new Set(topics).size).toBe(200);
  });
});
