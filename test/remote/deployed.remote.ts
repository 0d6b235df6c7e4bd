// `npm run test:remote`: the checks against a deployed stack, in a deployment of its own that is deleted afterwards, and
// what AWS's documentation leaves open, answered. It needs a token of a tenant with all scopes of the console:
//
//   HEADCOUNT_URL           the output ApiUrl
//   HEADCOUNT_TOKEN         the token
//   HEADCOUNT_MQTT_HOST     the endpoint of IoT Core, for clients that go straight there
//   HEADCOUNT_MQTT_DOMAIN   the domain of the front door, where there is one

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checks } from './checks.ts';
import { type Target, Trial } from './target.ts';

const { HEADCOUNT_URL: url, HEADCOUNT_TOKEN: token, HEADCOUNT_MQTT_HOST: host } = process.env;
const { HEADCOUNT_MQTT_DOMAIN: domain } = process.env;
if (url === undefined || token === undefined) throw new Error('HEADCOUNT_URL and HEADCOUNT_TOKEN must be set');
if (host === undefined && domain === undefined)
  throw new Error('HEADCOUNT_MQTT_HOST or HEADCOUNT_MQTT_DOMAIN must be set');

const common = {
  apiUrl: url.replace(/\/$/, ''),
  token,
  patienceMs: 120_000,
  settled: async () => void (await wait(5_500)),
};
const targets: readonly Target[] = [
  ...(host === undefined ? [] : [{ ...common, entry: 'straight' as const, mqttUrl: () => `mqtts://${host}:8883` }]),
  ...(domain === undefined
    ? []
    : [{ ...common, entry: 'door' as const, mqttUrl: (id: string) => `mqtts://${id}.${domain}:8883` }]),
];

describe.each(targets)('$entry', (target) => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await Trial.begin(target);
  }, 120_000);
  afterAll(async () => {
    await trial?.end();
  }, 120_000);

  test.each(checks)('$statement: $guarantee', ({ run }) => run(trial), 300_000);

  test('what the documentation leaves open', async () => {
    const answers: Record<string, unknown> = {};
    const user = await trial.user('open');
    await trial.limit(1);
    for (const protocolVersion of [4, 5] as const) {
      const wrong = await trial.refusal(user, 'open-x', { protocolVersion, password: 'wrong' });
      answers[`MQTT ${protocolVersion === 5 ? '5' : '3.1.1'}: what a refused CONNECT is told`] =
        wrong ?? 'closed socket';
    }
    const holder = await trial.join(user, 'open-1', { clean: false, properties: { sessionExpiryInterval: 120 } });
    answers['MQTT 5: what a CONNECT over the quota is told'] = (await trial.refusal(user, 'open-2')) ?? 'closed socket';
    const confirmedFrom = Date.now();
    const details = async () => (await trial.api('GET', '/clients/open-1')).body;
    await trial.eventually(async () => (await details()).state === 'connected', 'the first is connected');
    answers['from CONNACK to connected, ms'] = Date.now() - confirmedFrom;
    const { sessionExpirySeconds, ipAddress } = await details();
    answers['session expiry that the broker told of (asked: 120)'] = sessionExpirySeconds;
    answers['address of the client'] = ipAddress;
    const endedFrom = Date.now();
    await holder.endAsync();
    await trial.eventually(async () => (await details()).state === 'retained', 'it is retained');
    answers['from DISCONNECT to retained, ms'] = Date.now() - endedFrom;
    await trial.join(user, 'open-1', { clean: false, properties: { sessionExpiryInterval: 120 } });
    await trial.eventually(async () => (await details()).state === 'connected', 'the session is resumed');
    expect(await trial.used(user)).toBe(1);
    console.table(answers);
  }, 600_000);
});
