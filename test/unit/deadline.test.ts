// The bound on one CONNECT, with a schedule that the test decides.

import { expect, test } from 'vitest';
import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import type { ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';

const request: ConnectRequest = { deploymentId: 'demo', username: 'alice', password: undefined, clientId: 'c1' };

function rig() {
  let fire = (): void => undefined;
  const seen: AbortSignal[] = [];
  const connect = withDeadline(
    ({ left }) => {
      if (left !== undefined) seen.push(left);
      return new Promise<ConnectDecision>(() => undefined);
    },
    1_000,
    (work) => {
      fire = work;
      return () => undefined;
    },
  );
  return { connect, seen, fire: () => fire() };
}

test('S24: a CONNECT that is out of time is unavailable, and leaves its queues', async () => {
  const { connect, seen, fire } = rig();
  const decision = connect(request);
  expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
  fire();
  expect(await decision).toEqual({ kind: 'rejected', reason: 'unavailable', detail: 'out of time' });
  expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
});

test('S24: the end of the client reaches the queues through the bound, before and after the CONNECT', () => {
  const { connect, seen } = rig();
  const client = new AbortController();
  void connect({ ...request, left: client.signal });
  client.abort();
  void connect({ ...request, left: client.signal });
  expect(seen.map(({ aborted }) => aborted)).toEqual([true, true]);
});
