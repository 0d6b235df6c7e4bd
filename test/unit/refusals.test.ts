// What is told of refused CONNECTs, around a decision that the test makes.

import { expect, test } from 'vitest';
import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import {
  refusalLinesPerSecond,
  strangerLinesPerSecond,
  tellingRefusals,
} from '../../shared/app/rejections/refusals.ts';
import type { RejectReason } from '../../shared/domain/connack.ts';
import type { Connect, ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type Refusal, shownClientId } from '../../shared/domain/refusal.ts';
import { ms } from '../../shared/domain/time.ts';

const request: ConnectRequest = { deploymentId: 'demo', username: 'alice', password: undefined, clientId: 'c1' };
const proven = (deploymentId = 'demo') => ({
  deploymentId: deploymentId as DeploymentId,
  username: 'alice' as Username,
});
const rejected = (reason: RejectReason): ConnectDecision => ({ kind: 'rejected', reason, detail: 'why' });

function rig(connect: Connect) {
  const lines: Record<string, unknown>[] = [];
  const recorded: Refusal[] = [];
  const at = { now: 5_000 };
  const info = (message: string, fields?: object) => void lines.push({ message, ...fields });
  const telling = tellingRefusals(connect, {
    rejections: { record: (refusal) => void recorded.push(refusal) },
    clock: { now: () => ms(at.now) },
    log: { info, warn: info, error: info },
  });
  return { connect: telling, lines, recorded, at };
}

test.each<[RejectReason, string, boolean]>([
  ['quota_exceeded', 'quota', true],
  ['blocked', 'blocked', true],
  ['suspended', 'suspended', true],
  ['client_id', 'client_id_invalid', true],
  ['client_id_held', 'client_id_taken', true],
  ['unavailable', 'unavailable', false],
])('S5: %s after valid credentials is told as %s, with its names; recorded: %s', async (reason, told, isRecorded) => {
  const { connect, lines, recorded } = rig(async ({ onProven }) => {
    onProven?.(proven());
    return rejected(reason);
  });
  expect(await connect(request)).toEqual(rejected(reason));
  const names = { ...proven(), clientId: 'c1', reason: told };
  expect(lines).toEqual([{ message: 'a connect was rejected', ...names, detail: 'why' }]);
  expect(recorded).toEqual(isRecorded ? [names] : []);
});

test.each<RejectReason>(['bad_credentials', 'unavailable'])(
  'S6: %s before valid credentials is a line without any names, and no record',
  async (reason) => {
    const { connect, lines, recorded } = rig(async () => rejected(reason));
    await connect({ ...request, hints: { protocolVersion: 5, cleanStart: true, ipAddress: '192.0.2.9' } });
    const message = 'a connect was rejected before its credentials were right';
    expect(lines).toEqual([{ message, detail: 'why', protocolVersion: 5, ipAddress: '192.0.2.9' }]);
    expect(recorded).toEqual([]);
  },
);

test('S17: a CONNECT that was told as out of time is never recorded as quota, whatever is decided later', async () => {
  let fire = (): void => undefined;
  let decide = (_decision: ConnectDecision): void => undefined;
  const late = withDeadline(
    ({ onProven }) => {
      onProven?.(proven());
      return new Promise((resolve) => {
        decide = resolve;
      });
    },
    1_000,
    (work) => {
      fire = work;
      return () => undefined;
    },
  );
  const { connect, lines, recorded } = rig(late);
  const answer = connect(request);
  fire();
  expect(await answer).toMatchObject({ reason: 'unavailable' });
  decide(rejected('quota_exceeded'));
  await Promise.resolve();
  expect(lines).toMatchObject([{ username: 'alice', clientId: 'c1', reason: 'unavailable', detail: 'out of time' }]);
  expect(recorded).toEqual([]);
});

test('a client that has left, or was let in, is told of nowhere', async () => {
  const { connect, lines, recorded } = rig(async ({ onProven }) => {
    onProven?.(proven());
    return rejected('quota_exceeded');
  });
  await connect({ ...request, left: AbortSignal.abort() });
  expect([lines, recorded]).toEqual([[], []]);
});

test('S24: a second of refusals is a few lines, a share for each deployment, and the next line says how many were left out', async () => {
  const { connect, lines, recorded, at } = rig(async ({ deploymentId, onProven }) => {
    if (deploymentId === undefined) return rejected('bad_credentials');
    onProven?.(proven(deploymentId));
    return rejected('blocked');
  });
  for (let n = 0; n < 100; n++) {
    await connect({ ...request, deploymentId: undefined });
    await connect({ ...request, deploymentId: 'one' });
  }
  await connect({ ...request, deploymentId: 'two' });
  const of = (id: string | undefined) => lines.filter(({ deploymentId }) => deploymentId === id);
  expect([of(undefined).length, of('one').length, of('two').length]).toEqual([
    strangerLinesPerSecond,
    refusalLinesPerSecond,
    1,
  ]);
  expect(recorded).toHaveLength(101);
  at.now += 1_000;
  lines.length = 0;
  for (const deploymentId of [undefined, undefined, 'one', 'two']) await connect({ ...request, deploymentId });
  expect(lines.map(({ leftOut }) => leftOut)).toEqual([
    100 - strangerLinesPerSecond,
    undefined,
    100 - refusalLinesPerSecond,
    undefined,
  ]);
});

test.each([
  [undefined, ''],
  ['a+b\n', 'a+b\n'],
  ['x'.repeat(65_535), 'x'.repeat(128)],
  ['ü'.repeat(100), 'ü'.repeat(64)],
  [`x${'ü'.repeat(100)}`, `x${'ü'.repeat(63)}`],
  ['\ud800', '\ufffd'],
])('of a client id no more is kept than 128 bytes of Unicode: %j', (sent, shown) => {
  expect(shownClientId(sent)).toBe(shown);
});
