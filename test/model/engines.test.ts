// The model runs in memory for speed. Here the same schedules run on the real engine too, and must leave the same
// trace: every request, every refusal, every decision.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { drawSchedules } from './arbitrary.ts';
import { runModel } from './run-model.ts';
import { modelSeed, runInMemory } from './try-schedules.ts';

let engine: TestEngine;
let table: TestTable;

beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
});
afterAll(() => engine.stop());

const schedules = drawSchedules(modelSeed, 30).map(({ config, steps }) => ({ config, steps: steps.slice(0, 150) }));

describe('the real engine', () => {
  it(`keeps the invariants, and does request by request what the engine in memory does (seed ${modelSeed})`, async () => {
    for (const { config, steps } of schedules) {
      const real = await runModel(table, config, steps);
      const inMemory = await runInMemory(config, steps);
      expect(real.failure, real.world.trace.join('\n')).toBeUndefined();
      expect(firstDifference(real.world.trace, inMemory.world.trace)).toBeUndefined();
    }
  }, 90_000);
});

function firstDifference(a: readonly string[], b: readonly string[]): readonly (string | undefined)[] | undefined {
  const at = a.findIndex((line, n) => line !== b[n]);
  return at < 0 && a.length === b.length ? undefined : [a[at], b[at]];
}
