// What a restart makes of the records that the last run left, beside what the broker knows of them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KeptSession, parseKeptSession } from '../../local/broker-sessions.ts';
import { openJournal } from '../../local/journal.ts';
import { settleAfterRestart } from '../../local/settle.ts';
import { createSettledView } from '../../local/settled-view.ts';
import { TransactWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import { type ClientId, type DeploymentId, toBrokerClientId, type Username } from '../../shared/domain/ids.ts';
import { meetSession, startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession, endSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { addSeconds, type Ms, ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { Names } from '../../shared/ports/presence/sessions.ts';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { type Bench, startBench } from './broker-bench.ts';

const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
const startedAt = ms(1_800_000_000_000);
const endedAt = addSeconds(startedAt, seconds(2));
const deploymentId = 'demo' as DeploymentId;

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startTestEngine();
  folder = mkdtempSync(join(tmpdir(), 'headcount-settle-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.stop();
});

const hands = false;

type Kind = 'pending' | 'counted later' | 'connected' | 'overlapping' | 'retained';

function build(kind: Kind, names: Names): Session {
  const admission = {
    attempt: cryptoRandom.attemptId(),
    witness: 'door',
    at: startedAt,
    expirySeconds: seconds(600),
  } as const;
  const started = startSession(names, cryptoRandom.place(), admission, policy, undefined, hands);
  const again = { ...admission, attempt: cryptoRandom.attemptId(), expirySeconds: seconds(0) };
  if (kind === 'pending') return started;
  if (kind === 'counted later') return { ...started, recounted: true };
  if (kind === 'overlapping') return meetSession(started, again, policy, hands);
  const connected = confirmSession(
    started,
    { at: startedAt, expirySeconds: seconds(600), attempt: admission.attempt },
    policy,
  );
  if (kind === 'connected') return connected;
  return endSession(connected, { at: startedAt, expirySeconds: seconds(600) }, startedAt);
}

interface Case {
  readonly name: string;
  readonly kind: Kind;
  /** What the broker had of it when the process ended. */
  readonly broker?: KeptSession;
  readonly remembers?: false;
  readonly phase: Session['phase']['kind'];
  readonly countsUntil?: Ms;
  /** What the broker has of it after. */
  readonly left: 'retained' | 'absent';
}

const inBroker = (expirySeconds: number): KeptSession => ({
  kind: 'connected',
  at: startedAt,
  expirySeconds: seconds(expirySeconds),
});

const cases: Case[] = [
  {
    name: 'a connection that the broker kept nothing of is freed, whatever its record expected',
    kind: 'connected',
    phase: 'ended',
    left: 'absent',
  },
  {
    name: 'a connection is retained for what the broker granted it',
    kind: 'connected',
    broker: inBroker(120),
    phase: 'retained',
    countsUntil: addSeconds(endedAt, seconds(120)),
    left: 'retained',
  },
  {
    name: 'a connection of a run whose broker has forgotten is retained for what its record says',
    kind: 'connected',
    remembers: false,
    phase: 'retained',
    countsUntil: addSeconds(endedAt, seconds(600)),
    left: 'absent',
  },
  {
    name: 'an attempt that nobody reported is freed, and the broker keeps nothing of it',
    kind: 'pending',
    broker: inBroker(600),
    phase: 'ended',
    left: 'absent',
  },
  {
    name: 'an attempt that was admitted without the database is retained if it came through, reported or not',
    kind: 'counted later',
    broker: inBroker(600),
    phase: 'retained',
    countsUntil: addSeconds(endedAt, seconds(600)),
    left: 'retained',
  },
  {
    name: 'of attempts that overlapped the broker tells which came through',
    kind: 'overlapping',
    broker: inBroker(600),
    phase: 'retained',
    countsUntil: addSeconds(endedAt, seconds(600)),
    left: 'retained',
  },
  {
    name: 'attempts that overlapped and left nothing at the broker are freed',
    kind: 'overlapping',
    phase: 'ended',
    left: 'absent',
  },
  {
    name: 'a retained session stays as it is',
    kind: 'retained',
    broker: { ...inBroker(600), kind: 'retained' },
    phase: 'retained',
    countsUntil: addSeconds(startedAt, seconds(600)),
    left: 'retained',
  },
];

async function prepare(one: Case): Promise<{ table: TestTable; store: SessionStore; names: Names; bench: Bench }> {
  const table = await createTestTable(engine.endpoint);
  const store = createSessionStore(table.client, table.tableName, cryptoRandom);
  const names = { deploymentId, clientId: 'c1' as ClientId, username: 'alice' as Username };
  const session = build(one.kind, names);
  await store.putOwner(
    deploymentId,
    names.clientId,
    { username: names.username, keptUntil: addSeconds(startedAt, seconds(1_000)) },
    undefined,
  );
  await store.putSession(session, undefined);
  await store.addPlace(deploymentId, names.username, session.place, 1, session.dueAt);
  const file = join(folder, `${table.tableName}.journal`);
  const before = openJournal(file, parseKeptSession);
  if (one.broker !== undefined) before.put(toBrokerClientId(deploymentId, names.clientId), one.broker);
  before.close();
  const bench = await startBench({ memory: { journal: openJournal(file, parseKeptSession), endedAt } });
  bench.time.advance(10_000);
  return { table, store, names, bench };
}

/** One whose process is killed before any record is written. */
function dyingClient(client: TestTable['client']): TestTable['client'] {
  return Object.assign(Object.create(client) as typeof client, {
    async send(command: Parameters<typeof client.send>[0]) {
      if (command instanceof TransactWriteCommand && command.input.TransactItems?.some(({ Put }) => Put !== undefined))
        throw new Error('killed');
      return client.send(command);
    },
  });
}

test.each(cases)('$name', async (one) => {
  const { table, store: bare, names, bench } = await prepare(one);
  const asked: string[] = [];
  const ranks = { ask: async (_id: DeploymentId, username: Username) => void asked.push(username) };
  const lastRun = { endedAt, brokerRemembers: one.remembers !== false };
  const start = async (client: TestTable['client']) => {
    const view = createSettledView();
    const store = view.around(bare);
    const core: LifeCyclePorts = { store, clock: bench.time.clock, random: cryptoRandom, broker: bench.broker, policy };
    const ports = { ...core, view, ranks, say: () => undefined, log: { error: () => undefined } };
    return { store, ...(await settleAfterRestart({ ...table, client }, ports, lastRun)) };
  };
  const check = async (through: SessionStore): Promise<void> => {
    const after = (await through.readSession(names))?.value;
    expect(after?.phase.kind).toBe(one.phase);
    if (one.countsUntil !== undefined) expect(after?.countsUntil).toBe(one.countsUntil);
    const { items } = await through.listSessions(deploymentId, names.username, { limit: 10 });
    expect(items.map(({ value }) => value.phase.kind)).toEqual([one.phase]);
    expect((await through.readRoster(deploymentId, names.username)).used).toBe(one.phase === 'ended' ? 0 : 1);
    expect((await bench.broker.getConnection(toBrokerClientId(deploymentId, names.clientId))).kind).toBe(one.left);
  };

  // Before a record is written all of it is read as settled. Should the process end then, the next one does it again.
  const killed = await start(dyingClient(table.client));
  await check(killed.store);
  void killed.stop();
  const settling = await start(table.client);
  await check(settling.store);
  await settling.written;
  await check(bare);
  expect([killed.settled, settling.settled]).toEqual(one.kind === 'retained' ? [0, 0] : [1, 1]);
  expect((await start(table.client)).settled).toBe(0);
  // Whoever still counts may have been about to be ranked.
  expect(asked.length > 0).toBe(one.phase !== 'ended');
  await bench.close();
});
