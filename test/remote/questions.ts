// What AWS's documentation leaves open and this product meets, asked of an installation. None of it is relied on: each
// answer says how things are there, and a test fails only where it cannot be had, or contradicts what the product does rely
// on. The list in docs/operate.md names them by `id`.

import { createHash } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { expect } from 'vitest';
import { accountQuestions } from './account-questions.ts';
import type { Question } from './question.ts';
import { inPath, type PresenceEvent, type Trial } from './target.ts';
import { createTokenSigner } from './token-signer.ts';

const told = (code: number | undefined): string => (code === undefined ? 'closed socket' : `0x${code.toString(16)}`);
const keeps = { clean: false, properties: { sessionExpiryInterval: 120 } };
const watches = (trial: Trial): boolean => trial.target.watch !== undefined;

function eventsOf(trial: Trial, clientId: string, type: string): readonly PresenceEvent[] {
  const events = trial.target.watch?.of(trial.atBroker(clientId)) ?? [];
  return events.filter(({ eventType }) => eventType === type);
}

const happened = (trial: Trial, clientId: string, type: string, times: number): Promise<void> =>
  trial.eventually(async () => eventsOf(trial, clientId, type).length >= times, `${times} × ${type} of ${clientId}`);

const pairOf = ({ sessionIdentifier, versionNumber }: PresenceEvent) => ({ sessionIdentifier, versionNumber });

const connectionQuestions: readonly Question[] = [
  {
    id: 'connack',
    question: 'what is a client told whose CONNECT the authorizer refuses?',
    async ask(trial) {
      const user = await trial.user('q-connack');
      await trial.limit(1);
      await trial.join(user, 'q-connack-1');
      const answers: Record<string, unknown> = {};
      for (const [name, protocolVersion] of [
        ['MQTT 5', 5],
        ['MQTT 3.1.1', 4],
      ] as const) {
        answers[`${name}, wrong password`] = told(
          await trial.refusal(user, 'q-connack-2', { protocolVersion, password: 'wrong' }),
        );
        answers[`${name}, over the quota`] = told(await trial.refusal(user, 'q-connack-3', { protocolVersion }));
      }
      return answers;
    },
  },
  {
    id: 'timing',
    question: 'how late are connections and their ends told, and what is told of a session?',
    async ask(trial) {
      const user = await trial.user('q-timing');
      await trial.limit(5);
      const since = (from: number): number => Math.round(performance.now() - from);
      const client = await trial.join(user, 'q-timing', keeps);
      let from = performance.now();
      await trial.connected('q-timing');
      const connected = since(from);
      await trial.eventually(
        async () => (await trial.details('q-timing')).sessionExpirySeconds === 120,
        "the session's own expiry is told",
      );
      const expiry = since(from);
      const { ipAddress } = await trial.details('q-timing');
      from = performance.now();
      await client.endAsync();
      await trial.eventually(async () => (await trial.details('q-timing')).state === 'retained', 'it is retained');
      return {
        'from CONNACK to connected, ms': connected,
        'from CONNACK to the expiry that was asked for, ms': expiry,
        'from DISCONNECT to retained, ms': since(from),
        'address of the client': ipAddress,
      };
    },
  },
  {
    id: 'changed-expiry',
    question: 'does GetConnection show an expiry that a DISCONNECT has changed?',
    async ask(trial) {
      const user = await trial.user('q-changed');
      await trial.limit(5);
      const answers: Record<string, unknown> = {};
      for (const said of [60, 240]) {
        const clientId = `q-changed-${said}`;
        const client = await trial.join(user, clientId, keeps);
        await trial.connected(clientId);
        await client.endAsync(false, { properties: { sessionExpiryInterval: said } });
        await trial.eventually(async () => (await trial.details(clientId)).state === 'retained', 'it is retained');
        // What counts is what the broker was asked for at the end.
        answers[`granted 120 s, DISCONNECT says ${said} s: counted`] = (
          await trial.details(clientId)
        ).sessionExpirySeconds;
      }
      return answers;
    },
  },
  {
    id: 'resume',
    question:
      'does sessionIdentifier change when a persistent session is resumed, and do both events of a connection agree?',
    canAsk: watches,
    async ask(trial) {
      const user = await trial.user('q-resume');
      await trial.limit(1);
      const clientId = 'q-resume';
      const pairs: ReturnType<typeof pairOf>[] = [];
      for (const times of [1, 2]) {
        const client = await trial.join(user, clientId, keeps);
        expect(trial.wasResumed(client)).toBe(times === 2);
        await happened(trial, clientId, 'connected', times);
        await client.endAsync();
        await happened(trial, clientId, 'disconnected', times);
        const [connected, disconnected] = ['connected', 'disconnected'].map((type) =>
          eventsOf(trial, clientId, type).at(-1),
        );
        if (connected === undefined || disconnected === undefined) throw new Error('there were two events');
        // This is what an end is known by.
        expect(pairOf(disconnected)).toEqual(pairOf(connected));
        pairs.push(pairOf(connected));
      }
      expect(await trial.used(user)).toBe(1);
      return {
        'sessionIdentifier of a resumed session':
          pairs[0]?.sessionIdentifier === pairs[1]?.sessionIdentifier ? 'the same' : 'another',
        'versionNumber, first and second connection': pairs.map(({ versionNumber }) => versionNumber).join(', '),
      };
    },
  },
  {
    id: 'connect-failed',
    question:
      "does `connect_failed` follow an authorizer's refusal, and does it leave a live session of the client id alone?",
    canAsk: watches,
    async ask(trial) {
      const user = await trial.user('q-failed');
      await trial.limit(5);
      const client = await trial.join(user, 'q-failed');
      await trial.connected('q-failed');
      await trial.refusal(user, 'q-failed', { password: 'wrong' });
      const came = await happened(trial, 'q-failed', 'connect_failed', 1).then(
        () => true,
        () => false,
      );
      expect([client.connected, await trial.used(user)]).toEqual([true, 1]);
      return { 'connect_failed after a refusal': came ? 'comes' : 'does not come' };
    },
  },
  {
    id: 'takeover',
    question:
      "what is told of the connection that is ended when a client id's username changes, and of one that is kicked?",
    canAsk: watches,
    async ask(trial) {
      const [one, other] = [await trial.user('q-taken-1'), await trial.user('q-taken-2')];
      await trial.limit(5);
      expect((await trial.api('PATCH', '', { clientIdTakeover: 'allow' })).status).toBe(200);
      await trial.target.settled();
      // Without an expiry: a session that was to be kept is doubted for longer than anybody waits here.
      await trial.join(one, 'q-taken');
      await trial.connected('q-taken');
      const next = await trial.join(other, 'q-taken', keeps);
      expect(trial.wasResumed(next)).toBe(false);
      await happened(trial, 'q-taken', 'disconnected', 1);
      await trial.eventually(async () => (await trial.used(one)) === 0, 'the first holds nothing');
      await trial.connected('q-taken');
      expect((await trial.api('DELETE', `/clients/${inPath('q-taken')}`)).status).toBe(204);
      await happened(trial, 'q-taken', 'disconnected', 2);
      await trial.eventually(async () => (await trial.used(other)) === 0, 'the second holds nothing');
      await trial.api('PATCH', '', { clientIdTakeover: 'deny' });
      const [taken, kicked] = eventsOf(trial, 'q-taken', 'disconnected').map(
        ({ disconnectReason }) => disconnectReason,
      );
      return { 'reason of the one taken over': taken, 'reason of the one kicked': kicked };
    },
  },
  {
    id: 'share',
    question: 'does the policy let a shared subscription under the deployment through, and no other?',
    async ask(trial) {
      const user = await trial.user('q-share');
      await trial.limit(10);
      const { deploymentId } = trial;
      const topic = `${deploymentId}/q-share`;
      const subscribes = async (clientId: string, filter: string): Promise<boolean> => {
        const client = await trial.join(user, clientId);
        return subscribesTo(client, filter);
      };
      const member = await trial.join(user, 'q-share-member');
      const own = await subscribesTo(member, `$share/q/${topic}`);
      const speaker = await trial.join(user, 'q-share-speaker');
      const heard = async (): Promise<boolean> => {
        await speaker.publishAsync(topic, 'x', { qos: 1 });
        return trial.heardBy(member).includes(topic);
      };
      const served = own && (await comesTrue(trial.eventually(heard, 'a member of the group hears')));
      // S20 relies on these.
      expect(await subscribes('q-share-1', '$share/q/elsewhere/#')).toBe(false);
      expect(await subscribes('q-share-2', `$share/q/elsewhere/${deploymentId}/#`)).toBe(false);
      return {
        'shared subscription under the deployment': own ? 'granted' : 'refused',
        'a member of its group hears': yesOrNo(served),
        "under another's name": 'refused',
      };
    },
  },
  {
    id: 'colon',
    question: 'is a client id with `:` admitted, counted, asked about and kicked like any other?',
    async ask(trial) {
      const user = await trial.user('q-colon');
      await trial.limit(5);
      const clientId = 'q-colon:a:b';
      const client = await trial.join(user, clientId, keeps).catch(() => undefined);
      if (client === undefined) return { admitted: 'no' };
      const used = (count: number) => trial.eventually(async () => (await trial.used(user)) === count, `${count} used`);
      const counted = await comesTrue(used(1));
      const told = await comesTrue(
        trial.eventually(
          async () => (await trial.details(clientId)).sessionExpirySeconds === 120,
          'its expiry is told',
        ),
      );
      const kick = await trial.api('DELETE', `/clients/${inPath(clientId)}`);
      const ended = await comesTrue(trial.eventually(async () => !client.connected, 'it is disconnected'));
      const freed = await comesTrue(used(0));
      return {
        admitted: 'yes',
        counted: yesOrNo(counted),
        'GetConnection tells its expiry': yesOrNo(told),
        kicked: yesOrNo(kick.status === 204 && ended && freed),
      };
    },
  },
  {
    id: 'principal',
    question: "is a presence event's principalIdentifier the principalId that the authorizer returned?",
    canAsk: watches,
    async ask(trial) {
      const user = await trial.user('q-principal');
      await trial.limit(5);
      const client = await trial.join(user, 'q-principal');
      await happened(trial, 'q-principal', 'connected', 1);
      await client.endAsync();
      await happened(trial, 'q-principal', 'disconnected', 1);
      // As functions/authorizer/authorize.ts derives it.
      const returned = createHash('sha256').update(`${trial.deploymentId}|${user}`).digest('hex');
      const answerOf = (type: string): string => {
        const told = eventsOf(trial, 'q-principal', type).at(-1)?.principalIdentifier;
        return told === returned ? 'the same' : `another: ${String(told)}`;
      };
      return { 'of connected': answerOf('connected'), 'of disconnected': answerOf('disconnected') };
    },
  },
  {
    id: 'idle',
    question: 'does a device that says nothing stay connected?',
    canAsk: ({ target }) => target.idleMs > 0,
    async ask(trial) {
      const user = await trial.user('q-idle');
      await trial.limit(5);
      const keepalive = 1_200;
      const client = await trial.join(user, 'q-idle', { keepalive, reschedulePings: false });
      await new Promise((resolve) => setTimeout(resolve, trial.target.idleMs));
      const topic = `${trial.deploymentId}/idle`;
      const answered = await answersTo(client, topic);
      return { [`after ${trial.target.idleMs / 1_000} s with a keep-alive of ${keepalive} s`]: answered };
    },
  },
  {
    id: 'token-end',
    question: 'is the authorizer asked again when a connection ends by its token, and what is its client told?',
    canAsk: ({ target }) => target.awaitsTokenEnd,
    async ask(trial) {
      const { issuer, tokenOf } = createTokenSigner();
      expect((await trial.api('PUT', '/token-issuer', issuer)).status).toBeLessThan(300);
      await trial.limit(5);
      const client = await trial.join('q-token', 'q-token', { password: tokenOf('q-token', 310) });
      const from = performance.now();
      const reasons: unknown[] = [];
      client.on('disconnect', ({ reasonCode }) => reasons.push(told(reasonCode)));
      const patient = Math.max(trial.target.patienceMs, 700_000);
      const ended = await Promise.race([
        new Promise<string>((resolve) => client.once('close', () => resolve('ended'))),
        new Promise<string>((resolve) => setTimeout(() => resolve('still there'), patient).unref()),
      ]);
      expect(ended).toBe('ended');
      // However often the authorizer was asked about it, it was one session, and it is over.
      await trial.eventually(async () => (await trial.used('q-token')) === 0, 'it holds nothing');
      return {
        'token of 310 s: connection ended after, s': Math.round((performance.now() - from) / 1_000),
        'DISCONNECT that its client was sent': reasons.join() || 'none',
      };
    },
  },
];

export const questions: readonly Question[] = [...connectionQuestions, ...accountQuestions];

const yesOrNo = (came: boolean): string => (came ? 'yes' : 'no');

const comesTrue = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );

/** A broker may refuse in its SUBACK, or by closing the connection. */
const subscribesTo = (client: MqttClient, filter: string): Promise<boolean> =>
  client.subscribeAsync(filter, { qos: 1 }).then(
    (grants) => grants.some(({ qos }) => qos < 128),
    () => false,
  );

async function answersTo(client: MqttClient, topic: string): Promise<string> {
  if (!client.connected) return 'gone';
  return client.publishAsync(topic, 'still here', { qos: 1 }).then(
    () => 'still there',
    () => 'gone',
  );
}
