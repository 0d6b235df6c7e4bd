// The core against the real engine and a model of the broker: every call of everybody may be overtaken by any other,
// and after every single one of them the invariants hold.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { hardStates, Reached } from './hard-states.ts';
import { arbitraryConfig, arbitrarySteps, modelSeed, modelRuns } from './arbitrary.ts';
import { runModel } from './run-model.ts';

let engine: TestEngine;
let table: TestTable;

beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
});
afterAll(() => engine.stop());

describe('no interleaving, fault or loss breaks an invariant', () => {
  it('holds I1, I1b, I2, I3, I4, I5, I6 and I7 in every schedule of the seed, and reaches the hard states', async () => {
    const reached = new Reached();
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, arbitrarySteps, async (config, list) => {
        const world = await runModel(table, config, list);
        reached.add(world.reached);
        steps += world.steps;
      }),
      { seed: modelSeed, numRuns: modelRuns },
    );
    console.log(`model: seed ${modelSeed}, ${modelRuns} runs, ${steps} requests`, Object.fromEntries(reached.counts));
    for (const state of hardStates) expect(reached.counts.get(state), state).toBeGreaterThan(0);
  }, 300_000);
});
