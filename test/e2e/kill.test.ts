// kill -9 in the middle of a burst, again and again over one data directory: whoever had CONNACK 0 counts exactly as
// its session's expiry says when the process is there again; beside them at most those whose CONNACK was on its way (I7).

import { afterEach, describe, expect, test } from 'vitest';
import { buildConnect, type ClientSpec, dialRaw, type RawClient } from '../support/mqtt.ts';
import { api, cleanUp, makeFolder, type Ready, ready, start } from '../support/process.ts';

afterEach(cleanUp);

const clientsAtOnce = 60;
/** The process is killed when so many CONNACKs have come. */
const killPoints = [1, 12, 30, 55];

interface Burst {
  readonly spec: ClientSpec;
  readonly persistent: boolean;
  readonly client: RawClient;
}

const kinds = [
  { version: 5, clean: true, expirySeconds: 0, persistent: false },
  { version: 5, clean: false, expirySeconds: 3_000, persistent: true },
  { version: 4, clean: true, persistent: false },
  { version: 5, clean: true, expirySeconds: 3_000, persistent: true },
  { version: 3, clean: false, persistent: true },
] as const;

function specOf(round: number, n: number): { spec: ClientSpec; persistent: boolean } {
  const { persistent, ...how } = kinds[n % kinds.length] ?? kinds[0];
  return { spec: { ...how, clientId: `r${round}c${n}`, username: n % 2 === 0 ? 'alice' : 'bob' }, persistent };
}

/** All at once; the process is killed when `killAt` of them have been answered. Answers what each received. */
async function burst(at: Ready, round: number, killAt: number, kill: () => void): Promise<readonly Burst[]> {
  let answered = 0;
  const all = await Promise.all(
    Array.from({ length: clientsAtOnce }, async (_, n) => ({ ...specOf(round, n), client: await dialRaw(at) })),
  );
  for (const [n, { spec, client }] of all.entries()) {
    client.socket.once('data', () => {
      answered += 1;
      // Some go again at once.
      if (n % 4 === 3) client.socket.end(Buffer.from([0xe0, 0]));
      if (answered === killAt) kill();
    });
    client.socket.write(buildConnect(spec));
  }
  await Promise.all(all.map(({ client }) => client.closed()));
  return all;
}

async function hasConnack0({ client }: Burst): Promise<boolean> {
  const bytes = await client.closed();
  return bytes[0] === 0x20 && bytes[3] === 0;
}

describe.each([
  ['as it is', 'local/main.ts'],
  ['with nothing handled that was reported', 'test/support/slow-queue.ts'],
] as const)('killed %s', (_how, program) => {
  test('at many points of a burst, the counts are exact after each restart', async () => {
    const DATA_DIR = makeFolder();
    const expected = new Set<string>();
    let running = start({ DATA_DIR }, program);
    for (const [round, killAt] of killPoints.entries()) {
      const clients = await burst(await ready(running), round, killAt, () => running.child.kill('SIGKILL'));
      await running.ended;
      const silent: string[] = [];
      for (const one of clients) {
        if (!one.persistent) continue;
        if (await hasConnack0(one)) expected.add(one.spec.clientId);
        else silent.push(one.spec.clientId);
      }
      running = start({ DATA_DIR }, program);
      const counted = await readCounted(await ready(running));
      const extra = counted.filter((clientId) => !expected.has(clientId));
      expect([...expected].filter((clientId) => !counted.includes(clientId))).toEqual([]);
      // Those were at the broker and in the queue, and their CONNACK was still on its way: the safe side.
      for (const clientId of extra) {
        expect(silent).toContain(clientId);
        expected.add(clientId);
      }
    }
  }, 120_000);
});

/** Client ids of all sessions of both usernames. All of them are retained, and `used` says how many they are. */
async function readCounted(at: Ready): Promise<readonly string[]> {
  const clientIds: string[] = [];
  for (const username of ['alice', 'bob']) {
    const { status, body } = await api(at, 'GET', `/session-usage/${username}`);
    const sessions = await api(at, 'GET', `/session-usage/${username}/sessions?limit=100`);
    const items = sessions.body.items as readonly { readonly clientId: string; readonly state: string }[];
    expect(items.map(({ state }) => state).filter((state) => state !== 'retained')).toEqual([]);
    expect(sessions.body.nextCursor).toBeUndefined();
    expect(status === 404 ? 0 : body.used).toBe(items.length);
    clientIds.push(...items.map(({ clientId }) => clientId));
  }
  return clientIds;
}
