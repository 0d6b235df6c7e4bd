// A client id that is taken over moments after its session began, whose events may come in either order.

import { expect, test } from 'vitest';
import { seconds } from '../../shared/domain/time.ts';
import { tableForEachTest } from '../support/tables.ts';
import { type Core, createCore } from './rig.ts';

let core: Core;
tableForEachTest(({ client, tableName }) => {
  core = createCore(client, tableName);
});

async function attemptOf(username: string, clientId: string, expiry = 0) {
  const decision = await core.connect(username, clientId, { expiry });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
}

test.each([
  ['is told before the newcomer’s connection', true],
  ['is told after it', false],
])(
  'S9: a session with an expiry that is taken over at once is not kept until then; its end %s',
  async (_when, first) => {
    core.takeover = 'allow';
    const old = await attemptOf('alice', 'shared', 600);
    await core.report('door.connected', 'alice', 'shared', old, 600);
    const newcomer = await attemptOf('bob', 'shared');
    core.broker.set('shared', { kind: 'connected', since: core.now(), expirySeconds: seconds(0) });
    const end = () => core.report('door.disconnected', 'alice', 'shared', old, 600);
    if (first) await end();
    await core.report('door.connected', 'bob', 'shared', newcomer);
    if (!first) await end();
    expect([await core.used('alice'), await core.used('bob')]).toEqual([0, 1]);
  },
);
