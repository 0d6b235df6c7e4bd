import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureExactness, measureUnits } from '../../bench/admission/measure.ts';
import { createTarget, type Target } from '../../bench/admission/target.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let target: Target;

beforeAll(async () => {
  engine = await startTestEngine();
  target = createTarget(engine.endpoint, (await createTestTable(engine.endpoint)).tableName);
});
afterAll(async () => engine.stop());

it('each candidate admits exactly 100 of 200 that come at the same moment', async () => {
  const found = await measureExactness(target, 200, 100);
  expect(found.map(({ name }) => name)).toEqual(['transaction', 'claim', 'roster', 'roster, owner beside']);
  for (const { admitted, rejected, used } of found)
    expect({ admitted, rejected, used }).toEqual({ admitted: 100, rejected: 100, used: 100 });
});

it('the figures of ADR 1 for the write units of each path', async () => {
  const writes = [...(await measureUnits(target))].map(([name, paths]) => [
    name,
    Object.values(paths).map(({ write }) => write),
  ]);
  // First of its username, new, rejected, lost a race, confirm, reconnect, free, free the last.
  expect(Object.fromEntries(writes)).toEqual({
    transaction: [8, 7, 0, 5, 2, 2, 5, 6],
    claim: [7, 6, 0, 1, 2, 2, 4, 5],
    roster: [6, 5, 0, 8, 2, 2, 3, 4],
    'roster, owner beside': [6, 5, 0, 8, 2, 2, 3, 4],
  });
});
