// A batch of presence messages: what is told of one client id is read once, and a front door session's events cost no
// reading where they say nothing new.

import { beforeEach, expect, test } from 'vitest';
import { applyPresence, type PresencePorts } from '../../functions/presence/apply.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { AttemptId } from '../../shared/domain/ids.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { noRenewals } from '../support/passwords.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
let sent: string[];
let attempt: AttemptId;
beforeEach(async () => {
  const client = createMemoryClient();
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  const watched = (command: object) => {
    sent.push(command.constructor.name.replace('Command', ''));
    return send(command);
  };
  sent = [];
  core = createCore({ send: watched } as unknown as DocumentClient, 'memory');
  const decision = await core.connect('alice', 'a');
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  ({ attempt } = decision);
  sent = [];
});

const report = (type: 'connected' | 'disconnected', expirySeconds = 0, of = attempt): object => ({
  type: `door.${type}`,
  deploymentId: 'demo',
  username: 'alice',
  clientId: 'a',
  attempt: of,
  at: core.now(),
  expirySeconds,
});
const event = (eventType: 'connected' | 'disconnected'): object => ({
  clientId: 'demo:a',
  timestamp: core.now(),
  eventType,
  sessionIdentifier: 'one',
  versionNumber: 1,
  principalIdentifier: 'p',
});

async function apply(...messages: readonly object[]): Promise<number> {
  const ports = {
    ...core.ports,
    credentials: noRenewals,
    ranks: { readRank: async () => ({ used: 0, revision: undefined }), putRank: async () => 'done' },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  } as unknown as PresencePorts;
  const Records = messages.map((message, n) => ({
    messageId: String(n),
    body: JSON.stringify(message),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(core.now()) },
  }));
  return (await applyPresence(ports, { Records } as never)).batchItemFailures.length;
}

test('the event of a connection beside its report costs nothing but its share of the reading', async () => {
  expect(await apply(event('connected'), report('connected'))).toBe(0);
  expect(sent).toEqual(['BatchGet', 'Put']);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
});

test('the same for its end, which needs no reading of the count: 5 requests after CONNACK in all', async () => {
  await apply(event('connected'), report('connected'));
  expect(await apply(event('disconnected'), report('disconnected'))).toBe(0);
  expect(sent).toEqual(['BatchGet', 'Put', 'BatchGet', 'Put', 'Delete']);
  expect(await core.used('alice')).toBe(0);
});

test('a short connection whose messages come together is written once', async () => {
  const messages = [event('connected'), report('connected'), event('disconnected'), report('disconnected')];
  expect(await apply(...messages)).toBe(0);
  expect(sent).toEqual(['BatchGet', 'Put', 'Delete']);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'ended' } });
});

test('the same of one that is kept: it is retained from its end on', async () => {
  const beginning = [report('connected', 60), event('connected')];
  core.advance(1);
  const messages = [...beginning, report('disconnected', 60), event('disconnected')];
  expect(await apply(...messages)).toBe(0);
  expect(await core.session('alice', 'a')).toMatchObject({
    phase: { kind: 'retained', disconnectedAt: core.now() },
    countsUntil: core.now() + 60_000,
  });
  expect(await core.used('alice')).toBe(1);
});

test('a message that fails leaves nothing behind for the next one: it reads anew', async () => {
  await apply(report('connected'));
  const put = core.ports.store.putSession;
  let fails = true;
  const store = {
    ...core.ports.store,
    async putSession(...asked: Parameters<typeof put>) {
      const done = await put(...asked);
      if (!fails) return done;
      fails = false;
      throw new Error('the answer is lost');
    },
  };
  Object.assign(core.ports, { store });
  sent = [];
  expect(await apply(report('disconnected'), event('disconnected'))).toBe(1);
  expect(sent.slice(0, 3)).toEqual(['BatchGet', 'Put', 'BatchGet']);
  expect(await core.used('alice')).toBe(0);
});

test('a malformed message fails alone', async () => {
  const bad = { ...report('connected'), attempt: 'short' };
  expect(await apply(bad, report('connected'), event('connected'))).toBe(1);
  expect(await core.session('alice', 'a')).toMatchObject({ phase: { kind: 'connected' } });
});
