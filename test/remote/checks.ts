// What an installation must do, statement by statement of the product's contract, as far as it can be seen from outside.
// The same checks run against the local product in `npm test` and against a deployed stack in `npm run test:remote`.

import { expect } from 'vitest';
import { settingsChecks } from './settings-checks.ts';
import { inPath, type Trial } from './target.ts';

export interface Check {
  readonly statement: string;
  readonly guarantee: string;
  run(trial: Trial): Promise<void>;
}

/** What a refusal says, where somebody chooses it. */
const quotaExceeded = 0x97;
const badCredentials = 0x86;
const badClientId = 0x85;

/** Straight to the broker nobody chooses the code; whatever it is, the client is not let in. */
function expectCode(trial: Trial, code: number | undefined, exact: number): void {
  if (trial.target.entry === 'door') expect(code).toBe(exact);
}

const connectChecks: readonly Check[] = [
  {
    statement: 'S2',
    guarantee: 'sessions are counted before a limit is configured',
    async run(trial) {
      const user = await trial.user('s2');
      for (const clientId of ['s2-a', 's2-b']) await trial.join(user, clientId);
      await trial.eventually(async () => (await trial.used(user)) === 2, 'two sessions are counted');
    },
  },
  {
    statement: 'S4',
    guarantee: 'of twelve at the same moment exactly as many come in as the limit says',
    async run(trial) {
      const user = await trial.user('s4');
      await trial.limit(3);
      const burst = Array.from({ length: 12 }, (_, n) => trial.join(user, `s4-${n}`));
      const outcomes = await Promise.allSettled(burst);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(3);
      expect(await trial.used(user)).toBe(3);
    },
  },
  {
    statement: 'S3, S5',
    guarantee:
      'at the limit another client is told so, and leaves no trace but its record; the same one comes again free',
    async run(trial) {
      const user = await trial.user('s5');
      await trial.limit(1);
      const first = await trial.join(user, 's5-first');
      expectCode(trial, await trial.refusal(user, 's5-second'), quotaExceeded);
      expect(await trial.used(user)).toBe(1);
      await trial.join(user, 's5-first');
      first.end(true);
      expect(await trial.used(user)).toBe(1);
      await trial.eventually(async () => {
        const { body } = await trial.api('GET', `/session-usage/${inPath(user)}`);
        return body.rejections === 1;
      }, 'the rejection is recorded');
    },
  },
  {
    statement: 'S6',
    guarantee: 'a wrong password and an unknown username are told the same, also where the quota is full',
    async run(trial) {
      const user = await trial.user('s6');
      const wrong = await trial.refusal(user, 's6-a', { password: 'wrong' });
      const unknown = await trial.refusal('s6-nobody', 's6-b', { password: 'wrong' });
      expect(wrong).toBe(unknown);
      expectCode(trial, wrong, badCredentials);
      expect(await trial.used(user)).toBe(0);
    },
  },
  {
    statement: 'S9',
    guarantee: 'a client id that another username holds is refused',
    async run(trial) {
      const [one, other] = [await trial.user('s9-one'), await trial.user('s9-other')];
      await trial.join(one, 's9-shared');
      expectCode(trial, await trial.refusal(other, 's9-shared'), badClientId);
      expect([await trial.used(one), await trial.used(other)]).toEqual([1, 0]);
    },
  },
  {
    statement: 'S8',
    guarantee: 'client ids that cannot be tracked or put into a policy are refused, and none is assigned',
    async run(trial) {
      const user = await trial.user('s8');
      for (const clientId of ['s8#', 's8+', 's8*', 's8?', '$s8', `s8-${'x'.repeat(128)}`])
        expectCode(trial, await trial.refusal(user, clientId), badClientId);
      expect(await trial.used(user)).toBe(0);
    },
  },
  {
    statement: 'S9',
    guarantee: 'who takes a client id over, where that is allowed, inherits nothing of it',
    async run(trial) {
      const [one, other] = [await trial.user('s9-first'), await trial.user('s9-next')];
      await trial.limit(5);
      await takeovers(trial, 'allow');
      const keeps = { clean: false, properties: { sessionExpiryInterval: 300 } };
      const first = await trial.join(one, 's9-handed', keeps);
      await first.subscribeAsync(`${trial.deploymentId}/s9`, { qos: 1 });
      await trial.connected('s9-handed');
      await first.endAsync();
      const teller = await trial.join(one, 's9-teller');
      await teller.publishAsync(`${trial.deploymentId}/s9`, 'for the first only', { qos: 1 });
      const next = await trial.join(other, 's9-handed', keeps);
      expect(trial.wasResumed(next)).toBe(false);
      await next.subscribeAsync(`${trial.deploymentId}/s9-end`, { qos: 1 });
      await trial.eventually(async () => {
        await teller.publishAsync(`${trial.deploymentId}/s9-end`, 'end', { qos: 1 });
        return trial.heardBy(next).length > 0;
      }, 'what it subscribed to comes');
      expect(trial.heardBy(next)).not.toContain(`${trial.deploymentId}/s9`);
      await takeovers(trial, 'deny');
    },
  },
  {
    statement: 'S11',
    guarantee: "a session that has expired is in nobody's way, whenever anybody sweeps",
    async run(trial) {
      const user = await trial.user('s11');
      await trial.limit(1);
      const brief = await trial.join(user, 's11-brief', {
        clean: false,
        properties: { sessionExpiryInterval: briefSeconds },
      });
      await trial.eventually(async () => {
        const { state, sessionExpirySeconds } = await trial.details('s11-brief');
        return state === 'connected' && sessionExpirySeconds === briefSeconds;
      }, 'it is connected, with its expiry');
      await brief.endAsync();
      const admitted = (): Promise<boolean> =>
        trial.join(user, 's11-next').then(
          () => true,
          () => false,
        );
      await trial.eventually(admitted, 'the next one is let in');
      expect(await trial.used(user)).toBe(1);
    },
  },
  {
    statement: 'S10',
    guarantee: 'with expiry 0 a session is freed when its client goes; with more it is retained and counted',
    async run(trial) {
      const user = await trial.user('s10');
      await trial.limit(5);
      const gone = await trial.join(user, 's10-gone');
      const kept = await trial.join(user, 's10-kept', { clean: false, properties: { sessionExpiryInterval: 300 } });
      await trial.eventually(async () => {
        const { body } = await trial.api('GET', `/session-usage/${inPath(user)}`);
        return body.connected === 2;
      }, 'both are connected');
      await Promise.all([gone.endAsync(), kept.endAsync()]);
      await trial.eventually(async () => {
        const { body } = await trial.api('GET', `/session-usage/${inPath(user)}`);
        return body.used === 1 && body.retained === 1;
      }, 'one is freed and one is retained');
    },
  },
  {
    statement: 'S16',
    guarantee: "a username's clients are listed with their details",
    async run(trial) {
      const user = await trial.user('s16');
      await trial.join(user, 's16-a');
      await trial.eventually(async () => {
        const { body } = await trial.api('GET', `/session-usage/${inPath(user)}/sessions`);
        const items = body.items as readonly Readonly<Record<string, unknown>>[];
        return items.length === 1 && items[0]?.clientId === 's16-a' && items[0]?.state === 'connected';
      }, 'the client is listed as connected');
    },
  },
  {
    statement: 'S20',
    guarantee: 'a client publishes under its deployment only',
    async run(trial) {
      const user = await trial.user('s20');
      const topic = `${trial.deploymentId}/hello`;
      const listener = await trial.join(user, 's20-listener');
      const heard: string[] = [];
      listener.on('message', (at) => heard.push(at));
      await listener.subscribeAsync(`${trial.deploymentId}/#`, { qos: 1 });
      const speaker = await trial.join(user, 's20-speaker');
      await speaker.publishAsync(topic, 'x', { qos: 1 });
      await trial.eventually(async () => heard.includes(topic), 'what is published under the deployment arrives');
      const stranger = await trial.join(user, 's20-stranger');
      const refused = await stranger.subscribeAsync('elsewhere/#', { qos: 1 }).then(
        (grants) => grants.every((grant) => grant.qos >= 128),
        () => true,
      );
      expect(refused).toBe(true);
    },
  },
];

const briefSeconds = 4;

async function takeovers(trial: Trial, clientIdTakeover: 'allow' | 'deny'): Promise<void> {
  const { status } = await trial.api('PATCH', '', { clientIdTakeover });
  expect(status).toBe(200);
  await trial.target.settled();
}

export const checks: readonly Check[] = [...connectChecks, ...settingsChecks];
