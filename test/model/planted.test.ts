// The test of the test: mistakes that are planted must be found, by the invariant that they break.

import { describe, expect, it } from 'vitest';
import * as bugs from './planted.ts';
import { modelSeed, trySchedules } from './try-schedules.ts';
import { Violation } from './violation.ts';

const cases = [
  ['an admission that counts without looking again', bugs.checkThenAct, ['I1']],
  ['a free that takes one off without looking whose', bugs.countedDownTwice, ['I1', 'I2', 'I3']],
  ['a late disconnected that frees whoever has reconnected', bugs.lateEventFrees, ['I1b']],
  ['a lease that frees without proof', bugs.leaseIsProof, ['I1b']],
  ['a session written over what others wrote', bugs.lastWriterWins, ['I1b', 'I2', 'I4']],
  ['a retry that counts twice', bugs.retryCountsTwice, ['I1b', 'I2', 'I3', 'S3']],
  ['a takeover that forgets the old session', bugs.takeoverForgets, ['I1', 'I1b', 'I2', 'I3']],
  ['a takeover that frees the old session and does not end it', bugs.takeoverEndsNothing, ['I1b']],
  ['a reconnect that demotes what it meets', bugs.reconnectDemotes, ['I1b']],
  ['time to live taken for the truth', bugs.ttlIsTruth, ['I2', 'I3', 'I4']],
  ['a recount from a lagging index', bugs.laggingRecount, ['I1', 'I1b', 'I2']],
  ['a failed attempt that frees the session it met', bugs.failureFreesAll, ['I1b']],
  ['a DISCONNECT that is believed', bugs.believesDisconnect, ['I1b']],
  ['an end that the broker is not asked about', bugs.asksNobodyAtTheEnd, ['I1b', 'I2']],
  ['a kick that frees a newcomer', bugs.kickFreesNewcomer, ['I1b']],
  ['a place that is kept twice', bugs.keepsPlacesTwice, ['every request can be applied']],
] as const;

describe('the model finds', () => {
  it.each(cases)('%s', async (_name, planted, invariants) => {
    const { failing } = await trySchedules(modelSeed, 300, planted);
    const failure = failing?.run.failure;
    expect(failure).toBeInstanceOf(Violation);
    expect(invariants).toContain(failure instanceof Violation ? failure.invariant : undefined);
  });
});
