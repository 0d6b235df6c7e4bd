// Headcount as it runs on one machine, as a peer among the others: limits are set and counts are read as its users do.

import { setTimeout as wait } from 'node:timers/promises';
import { startChild } from '../child/child.ts';
import type { HeadcountApi } from './headcount-process.ts';
import type { Peer } from './peer.ts';

const program = new URL('./headcount-process.ts', import.meta.url);
/** Passwords are hashed one after the other there; more at once would only wait. */
const addedAtOnce = 8;
/** A settings change holds for every admission at most this much later (S1). */
const settingsHoldMs = 5_000;

export async function startHeadcount(): Promise<Peer> {
  const child = startChild<HeadcountApi>(program);
  const at = await child.call.where();
  const login = { username: 'alice', password: 'alice-secret', protocolVersion: 5 } as const;
  async function api(method: string, path: string, body?: object): Promise<Response> {
    const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/deployments/demo${path}`, {
      method,
      headers: { authorization: 'Bearer local', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.ok || answer.status === 404) return answer;
    throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  }
  return {
    name: 'Headcount',
    port: at.mqttPort,
    login,
    async setLimit(limit) {
      await api('PUT', '/session-limit', { maxSessionsPerUsername: limit });
      await wait(settingsHoldMs);
    },
    async used() {
      const answer = await api('GET', `/session-usage/${login.username}`);
      // Nobody is there.
      if (answer.status === 404) return 0;
      return ((await answer.json()) as { readonly used: number }).used;
    },
    async addUsers(logins) {
      const coming = logins.values();
      const worker = async (): Promise<void> => {
        for (const { username, password } of coming) await api('PUT', `/credentials/${username}`, { password });
      };
      await Promise.all(Array.from({ length: addedAtOnce }, worker));
    },
    calm: () => child.call.calm(),
    stop: () => child.stop(),
  };
}
