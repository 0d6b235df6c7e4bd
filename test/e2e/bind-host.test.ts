// The whole product where other machines reach it: which names HTTP answers to there, and what the console is told.

import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/product.ts';

let rig: Rig;
beforeAll(async () => {
  const env = {
    BIND_HOST: '0.0.0.0',
    API_TOKEN: 'own',
    API_TOKENS: 'tenant=local',
    ALLOWED_HOSTS: 'headcount.example',
  };
  rig = await startRig({ console: true, env });
}, 120_000);
afterAll(() => rig.stop());

/** `to`: an address of this machine; all of 127.0.0.0/8 is one. */
function get(path: string, to: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: to, port: rig.product.httpPort, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once('error', reject).end();
  });
}

test('HTTP answers to each address of the machine and to the names that were given, and to no other', async () => {
  const { httpPort: port } = rig.product;
  const ask = async (host: string, to = '127.0.0.2'): Promise<number> => (await get('/healthz', to, { host })).status;
  for (const host of [`127.0.0.2:${port}`, 'LOCALHOST.', 'headcount.example', `Headcount.Example.:${port}`])
    expect(await ask(host), host).toBe(200);
  for (const host of ['127.0.0.3', 'rebound.example', 'headcount.example.rebound.example'])
    expect(await ask(host), host).toBe(421);
  expect(await ask('127.0.0.3', '127.0.0.3')).toBe(200);
});

test('metrics are read on this machine without a token, and from elsewhere with that of the installation', async () => {
  const ask = (headers: Record<string, string> = {}, to = '127.0.0.1') => get('/metrics', to, { host: to, ...headers });
  const here = await ask();
  expect(here.status).toBe(200);
  expect(here.text).toMatch(/^# TYPE Headcount_Admitted counter\nHeadcount_Admitted\{component="frontdoor"\} \d+$/m);
  const proxied = { 'x-forwarded-for': '203.0.113.7' };
  expect((await ask(proxied)).status).toBe(401);
  expect((await ask({ host: 'headcount.example' })).status).toBe(401);
  expect((await ask({ ...proxied, authorization: 'Bearer tenant' })).status).toBe(403);
  expect((await ask({ ...proxied, authorization: 'Bearer own' })).text).toContain('Headcount_ConnectLatency_count');
});

test('the version is told, and a path of other products is a problem document', async () => {
  const version = await get('/version', '127.0.0.1', { host: 'localhost' });
  expect(JSON.parse(version.text)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), format: 1 });
  const readyz = await get('/readyz', '127.0.0.1', { host: 'localhost', accept: 'text/html' });
  expect([readyz.status, JSON.parse(readyz.text).code]).toEqual([404, 'route.not_found']);
});

test('the console is told the host that the browser asked, not the one that stands for all', async () => {
  const { text } = await get('/config.json', '127.0.0.2', { host: '127.0.0.2', 'sec-fetch-site': 'same-origin' });
  const { mqttPort, mqttsPort } = rig.product;
  expect(JSON.parse(text)).toMatchObject({
    signIn: { apiToken: 'own' },
    mqtt: { tcp: { host: '127.0.0.2', port: mqttPort }, tls: { host: '127.0.0.2', port: mqttsPort } },
  });
});

test('a page under a name that was given is handed no token: a forwarder on this machine may keep that name', async () => {
  const ask = async (host: string) =>
    JSON.parse((await get('/config.json', '127.0.0.1', { host, 'sec-fetch-site': 'same-origin' })).text).signIn;
  expect(await ask('headcount.example')).toEqual({});
  expect(await ask('localhost')).toMatchObject({ apiToken: 'own' });
});
