// What an installation must do when its settings change, and when somebody is kicked.

import { expect } from 'vitest';
import type { Check } from './checks.ts';
import { inPath, type Trial } from './target.ts';
import { createTokenSigner } from './token-signer.ts';

const change = async (trial: Trial, method: string, path: string, status: number, body?: object): Promise<void> => {
  expect((await trial.api(method, path, body)).status).toBe(status);
  await trial.target.settled();
};

export const settingsChecks: readonly Check[] = [
  {
    statement: 'S1',
    guarantee: 'a limit is disabled, comes back as it was, and is deleted for good',
    async run(trial) {
      const user = await trial.user('s1');
      await trial.limit(1);
      await trial.join(user, 's1-a');
      await trial.refusal(user, 's1-b');
      await change(trial, 'PATCH', '/session-limit', 200, { enabled: false });
      await trial.join(user, 's1-b');
      await change(trial, 'PATCH', '/session-limit', 200, { enabled: true });
      await trial.refusal(user, 's1-c');
      await change(trial, 'DELETE', '/session-limit', 204);
      expect((await trial.api('GET', '/session-limit')).status).toBe(404);
      await trial.join(user, 's1-c');
      expect(await trial.used(user)).toBe(3);
    },
  },
  {
    statement: 'S4',
    guarantee: 'the whitelist is not subject to the limit, an override wins over it, and `blocked` over everything',
    async run(trial) {
      const [listed, own] = [await trial.user('s4-listed'), await trial.user('s4-own')];
      await change(
        trial,
        'PUT',
        '/session-limit',
        (await trial.api('GET', '/session-limit')).status === 404 ? 201 : 200,
        {
          maxSessionsPerUsername: 1,
          whitelist: [listed],
        },
      );
      await change(trial, 'PUT', `/session-limit/overrides/${inPath(own)}`, 204, { limit: 2 });
      for (const user of [listed, own]) for (const n of [1, 2]) await trial.join(user, `${user}-${n}`);
      await trial.join(listed, 's4-listed-3');
      await trial.refusal(own, 's4-own-3');
      await change(trial, 'PUT', `/session-limit/overrides/${inPath(listed)}`, 204, { limit: 'blocked' });
      await trial.refusal(listed, 's4-listed-1');
    },
  },
  {
    statement: 'S14',
    guarantee: 'a limit lowered below what is used disconnects nobody, and says how many are over it',
    async run(trial) {
      const user = await trial.user('s14');
      await trial.limit(2);
      const clients = [await trial.join(user, 's14-a'), await trial.join(user, 's14-b')];
      const { body } = await trial.limit(1);
      expect(Number(body.usernamesOverLimit)).toBeGreaterThanOrEqual(1);
      expect(clients.map((client) => client.connected)).toEqual([true, true]);
      await trial.refusal(user, 's14-c');
      expect(await trial.used(user)).toBe(2);
    },
  },
  {
    statement: 'S15',
    guarantee: 'one client is kicked, then all of a username, and their places are free',
    async run(trial) {
      const user = await trial.user('s15');
      await trial.limit(3);
      const names = ['s15-a', 's15-b', 's15-c'];
      const clients = await Promise.all(names.map((name) => trial.join(user, name)));
      for (const name of names) await trial.connected(name);
      expect((await trial.api('DELETE', `/clients/${inPath('s15-a')}`)).status).toBe(204);
      await trial.eventually(async () => clients[0]?.connected === false, 'the first is disconnected');
      await trial.eventually(async () => (await trial.used(user)) === 2, 'its place is free');
      const all = await trial.api('DELETE', `/session-usage/${inPath(user)}/sessions`);
      expect(all.status).toBe(202);
      await trial.operation(all, 'all are kicked');
      await trial.eventually(async () => clients.every((client) => !client.connected), 'all are disconnected');
      await trial.eventually(async () => (await trial.used(user)) === 0, 'all places are free');
    },
  },
  {
    statement: 'S18',
    guarantee: 'a stale change is refused, and every change is in the audit trail',
    async run(trial) {
      const { etag = '' } = await trial.limit(7);
      await trial.limit(8);
      const stale = await trial.api('PATCH', '/session-limit', { enabled: false }, { 'if-match': etag });
      expect(stale.status).toBe(412);
      const { body } = await trial.api('GET', '/audit?limit=2');
      const [last] = body.items as readonly { readonly after?: { readonly maxSessionsPerUsername?: number } }[];
      expect(last?.after?.maxSessionsPerUsername).toBe(8);
    },
  },
  {
    statement: 'S19, §3',
    guarantee: "what is not the tenant's is missing, and names come through in both forms of a path",
    async run(trial) {
      const elsewhere = await trial.api('GET', 'x/session-limit');
      expect(elsewhere.status).toBe(404);
      const user = await trial.user('sp/ace d ä');
      await trial.limit(5);
      await trial.join(user, 'sp ace');
      const forms = [inPath(user), ...(user.includes('/') ? [] : [encodeURIComponent(user)])];
      for (const form of forms) expect((await trial.api('GET', `/session-usage/${form}`)).body.username).toBe(user);
      expect((await trial.api('GET', `/clients/${encodeURIComponent('sp ace')}`)).status).toBe(200);
    },
  },
  {
    statement: 'S21',
    guarantee: 'blocking a username, and removing its credential, disconnects who is connected',
    async run(trial) {
      const [blocked, removed] = [await trial.user('s21-blocked'), await trial.user('s21-removed')];
      await trial.limit(5);
      const clients = [await trial.join(blocked, 's21-a'), await trial.join(removed, 's21-b')];
      for (const name of ['s21-a', 's21-b']) await trial.connected(name);
      const own = `/session-limit/overrides/${inPath(blocked)}`;
      expect((await trial.api('PUT', own, { limit: 'blocked' })).status).toBe(204);
      expect((await trial.api('DELETE', `/credentials/${inPath(removed)}`)).status).toBe(204);
      for (const client of clients) await trial.eventually(async () => !client.connected, 'it is disconnected');
      await trial.target.settled();
      await trial.refusal(blocked, 's21-a');
      await trial.refusal(removed, 's21-b');
    },
  },
  {
    statement: 'S21',
    guarantee: 'a token issuer that drops its key disconnects who came by it, and nobody with a password',
    async run(trial) {
      const [before, after] = [createTokenSigner(), createTokenSigner()];
      await change(trial, 'PUT', '/token-issuer', 201, before.issuer);
      await trial.limit(5);
      const user = await trial.user('s21-password');
      const password = before.tokenOf('s21-token', 3_600);
      const dropped = await trial.join('s21-token', 's21-c', { password });
      const kept = await trial.join(user, 's21-d');
      for (const name of ['s21-c', 's21-d']) await trial.connected(name);
      await change(trial, 'PUT', '/token-issuer', 200, after.issuer);
      await trial.eventually(async () => !dropped.connected, 'it is disconnected');
      await trial.refusal('s21-token', 's21-c', { password });
      expect(kept.connected).toBe(true);
      expect((await trial.api('DELETE', '/token-issuer')).status).toBe(204);
    },
  },
];
