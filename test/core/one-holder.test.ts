// One client id, two usernames at the same moment, and takeovers not allowed (S9): one of the usernames gets it.

import { expect, test } from 'vitest';
import type { AdmitDecision } from '../../shared/app/admission/run.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { type Core, createCore } from './rig.ts';
import { Steps, type Worker } from './steps.ts';

const outcomes = new Map<string, AdmitDecision['kind']>();

const connect =
  (name: string, username: string) =>
  async (core: Core): Promise<void> => {
    outcomes.set(name, (await core.connect(username, 'c')).kind);
  };

async function take(worker: Worker, steps: number): Promise<boolean> {
  for (let n = 0; n < steps; n++) if (!(await worker.step())) return false;
  return true;
}

test('S9: bob and two CONNECTs of alice: whatever each has done when the others go on, one username is admitted', async () => {
  let ways = 0;
  for (let ofBob = 0, bobGoesOn = true; bobGoesOn; ofBob++) {
    for (let ofAlice = 0, aliceGoesOn = true; aliceGoesOn; ofAlice++) {
      const client = createMemoryClient();
      const core = createCore(client, 'memory');
      // The client id was alice's before, and is hers still by the record of its owner.
      await core.report('door.disconnected', 'alice', 'c', await core.join('alice', 'c'));
      const steps = new Steps(client, 'memory');
      outcomes.clear();
      const bob = await steps.begin(connect('bob', 'bob'));
      bobGoesOn = await take(bob, ofBob);
      const alice = await steps.begin(connect('alice', 'alice'));
      aliceGoesOn = await take(alice, ofAlice);
      const again = await steps.begin(connect('alice again', 'alice'));
      await again.finish();
      await bob.finish();
      await alice.finish();
      const admitted = new Set(
        [...outcomes].flatMap(([name, kind]) => (kind === 'admitted' ? [name.slice(0, 3)] : [])),
      );
      expect([...admitted], `bob after ${ofBob} requests, alice after ${ofAlice}`).toHaveLength(1);
      ways++;
    }
  }
  expect(ways).toBeGreaterThan(20);
});
