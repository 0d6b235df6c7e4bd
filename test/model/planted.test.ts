// The test of the test: mistakes that are planted must be found, by the invariant that they break.

import { describe, expect, it } from 'vitest';
import * as bugs from './planted.ts';
import { modelSeed, trySchedules } from './try-schedules.ts';
import { Violation } from './violation.ts';

const cases = [
  ['an admission that counts without looking again', bugs.checkThenAct, ['I1']],
  ['a free that takes one off without looking whose', bugs.countedDownTwice, ['I1']],
  ['a late disconnected that frees whoever has reconnected', bugs.lateEventFrees, ['I1b']],
  ['a lease that frees without proof', bugs.leaseIsProof, ['I1b']],
  ['a session written over what others wrote', bugs.lastWriterWins, ['I1b', 'I2']],
] as const;

describe('the model finds', () => {
  it.each(cases)('%s', async (_name, planted, invariants) => {
    const { failing } = await trySchedules(modelSeed, 300, planted);
    const failure = failing?.run.failure;
    expect(failure).toBeInstanceOf(Violation);
    expect(invariants).toContain(failure instanceof Violation ? failure.invariant : undefined);
  });
});
