// `npm run test:remote`: the checks against a deployed stack, in a deployment of its own that is deleted afterwards, and
// what AWS's documentation leaves open, answered. It needs a token of a tenant with all scopes of the console:
//
//   HEADCOUNT_URL           the output ApiUrl
//   HEADCOUNT_TOKEN         the token
//   HEADCOUNT_MQTT_HOST     the endpoint of IoT Core, for clients that go straight there
//   HEADCOUNT_MQTT_DOMAIN   the domain of the front door, where there is one
//
// With AWS_REGION and AWS credentials in the environment it looks at presence events and at the account too, and answers what
// only they tell. HEADCOUNT_TASKS_BEFORE=<n> says how many tasks the front door wanted before the release that this follows.
// HEADCOUNT_SLOW=<minutes> leaves a client idle for so long, and waits five to ten minutes for a connection to end with its
// token.

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLambdaCredentials } from '../../shared/adapters/aws/lambda-credentials.ts';
import { viewAws } from './aws-view.ts';
import { checks } from './checks.ts';
import { watchPresence } from './presence-watch.ts';
import { questions } from './questions.ts';
import { type PresenceWatch, type Target, Trial } from './target.ts';

const { HEADCOUNT_URL: url, HEADCOUNT_TOKEN: token, HEADCOUNT_MQTT_HOST: host } = process.env;
const { HEADCOUNT_MQTT_DOMAIN: domain, HEADCOUNT_SLOW: slow, AWS_REGION: region } = process.env;
if (url === undefined || token === undefined) throw new Error('HEADCOUNT_URL and HEADCOUNT_TOKEN must be set');
if (host === undefined && domain === undefined)
  throw new Error('HEADCOUNT_MQTT_HOST or HEADCOUNT_MQTT_DOMAIN must be set');

const slowMinutes = Number(slow ?? 0);
const { HEADCOUNT_TASKS_BEFORE: tasksBefore, AWS_ACCESS_KEY_ID: accessKeyId } = process.env;
const watchedRegion = accessKeyId === undefined ? undefined : region;
const common = {
  apiUrl: url.replace(/\/$/, ''),
  token,
  patienceMs: 120_000,
  settled: async () => void (await wait(5_500)),
  idleMs: slowMinutes * 60_000,
  awaitsTokenEnd: slowMinutes > 0,
  ...(tasksBefore === undefined ? {} : { tasksBefore: Number(tasksBefore) }),
  ...(watchedRegion === undefined ? {} : { aws: viewAws(watchedRegion, readLambdaCredentials()) }),
};
const straight = { ...common, entry: 'straight' as const, mqttUrl: () => `mqtts://${host}:8883` };
const door = { ...common, entry: 'door' as const, mqttUrl: (id: string) => `mqtts://${id}.${domain}:8883` };
const targets: readonly Omit<Target, 'watch'>[] = [
  ...(host === undefined ? [] : [straight]),
  ...(domain === undefined ? [] : [door]),
];
const answers: Record<string, unknown> = {};

describe.each(targets)('$entry', (target) => {
  let watch: PresenceWatch | undefined;
  let trial: Trial;
  beforeAll(async () => {
    if (watchedRegion !== undefined) watch = await watchPresence(watchedRegion, readLambdaCredentials());
    trial = await Trial.begin({ ...target, ...(watch === undefined ? {} : { watch }) });
  }, 120_000);
  afterAll(async () => {
    // The deployment goes whatever happened, and that it went is one of the checks.
    await trial?.end().finally(() => watch?.close());
  }, 300_000);

  test.each(checks)('$statement: $guarantee', ({ run }) => run(trial), 600_000);

  test.for(questions)('$id: $question', { timeout: common.idleMs + 900_000 }, async ({ id, canAsk, ask }, { skip }) => {
    if (canAsk?.(trial) === false) skip('nobody may look, or there is no time (see the head of this file)');
    for (const [what, answer] of Object.entries(await ask(trial))) answers[`${target.entry}, ${id}: ${what}`] = answer;
  });
});

afterAll(() => {
  console.table(answers);
  expect(Object.keys(answers).length).toBeGreaterThan(0);
});
