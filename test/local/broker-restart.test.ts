// IoT Core's sessions do not end with a process of ours, and so the local broker's do not either.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseKeptSession } from '../../local/broker-sessions.ts';
import { type Journal, openJournal } from '../../local/journal.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import { addSeconds, type Ms, seconds } from '../../shared/domain/time.ts';
import type { BrokerSays } from '../../shared/ports/presence/broker.ts';
import { until } from '../support/until.ts';
import { type Bench, startBench } from './broker-bench.ts';

let folder: string;
const benches: Bench[] = [];
const journals: Journal<unknown>[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-broker-'));
});
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
  for (const journal of journals.splice(0)) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The next process; `endedAt`: when the one before, which has told nothing of its end, was last alive. */
async function run(endedAt?: Ms): Promise<Bench> {
  const journal = openJournal(join(folder, 'sessions.journal'), parseKeptSession);
  journals.push(journal);
  // Every bench has a time of its own, and all begin at the same.
  const bench = await startBench({ memory: { journal, endedAt: endedAt ?? (0 as Ms) } });
  benches.push(bench);
  return bench;
}

const says = ({ broker }: Bench, clientId: string): Promise<BrokerSays> =>
  broker.getConnection(clientId as BrokerClientId);
const keeps = (expirySeconds: number) => ({
  clean: false,
  properties: { sessionExpiryInterval: expirySeconds },
});

test('what was connected has been disconnected since, and what was retained is retained as before', async () => {
  const before = await run();
  const startedAt = before.time.clock.now();
  await before.connect(5, 'demo:clean', { properties: { sessionExpiryInterval: 0 } });
  await before.connect(5, 'demo:keeps', keeps(600));
  await before.connect(4, 'demo:keeps3', { clean: false });
  const left = await before.connect(5, 'demo:left', keeps(300));
  await left.endAsync();
  await until(async () => expect(await says(before, 'demo:left')).toMatchObject({ kind: 'retained' }));
  const over = await before.connect(5, 'demo:over', keeps(600));
  await over.endAsync({ properties: { sessionExpiryInterval: 0 } });
  await until(async () => expect(await says(before, 'demo:over')).toEqual({ kind: 'absent' }));

  const endedAt = addSeconds(startedAt, seconds(7));
  const after = await run(endedAt);
  expect(await says(after, 'demo:clean')).toEqual({ kind: 'absent' });
  expect(await says(after, 'demo:over')).toEqual({ kind: 'absent' });
  expect(await says(after, 'demo:keeps')).toEqual({ kind: 'retained', disconnectedAt: endedAt, expirySeconds: 600 });
  expect(await says(after, 'demo:keeps3')).toEqual({ kind: 'retained', disconnectedAt: endedAt, expirySeconds: 3_600 });
  expect(await says(after, 'demo:left')).toEqual({ kind: 'retained', disconnectedAt: startedAt, expirySeconds: 300 });
  after.time.advance(300_000);
  expect(await says(after, 'demo:left')).toEqual({ kind: 'absent' });
  expect(await says(await run(endedAt), 'demo:left')).toEqual({ kind: 'absent' });
});

test('whoever comes back is told that nothing of the session is left, and its events are not taken for old ones', async () => {
  const before = await run();
  const subscriber = await before.connect(5, 'demo:c1', keeps(600));
  await subscriber.subscribeAsync('demo/#', { qos: 1 });
  const after = await run(before.time.clock.now());
  expect(await says(after, 'demo:c1')).toMatchObject({ kind: 'retained' });
  let sessionPresent: boolean | undefined;
  await after.connect(5, 'demo:c1', { ...keeps(600), resubscribe: false }, (coming) =>
    coming.once('connect', (connack) => {
      sessionPresent = connack.sessionPresent;
    }),
  );
  expect(sessionPresent).toBe(false);
  const pairs = [before, after].map(({ events }) => {
    const { sessionIdentifier, versionNumber } = events[0] ?? {};
    return `${sessionIdentifier} ${versionNumber}`;
  });
  expect(new Set(pairs).size).toBe(2);
});

test('a session of the last run is ended as any other', async () => {
  await (await run()).connect(5, 'demo:c1', keeps(600));
  const after = await run();
  const id = 'demo:c1' as BrokerClientId;
  expect(await after.broker.deleteConnection(id, { cleanSession: false })).toBe('done');
  expect(await says(after, id)).toMatchObject({ kind: 'retained' });
  expect(await after.broker.deleteConnection(id, { cleanSession: true })).toBe('done');
  expect(await after.broker.deleteConnection(id, { cleanSession: true })).toBe('gone');
  expect(await says(await run(), id)).toEqual({ kind: 'absent' });
});
