// What the model sends to the engine in memory, sent to a real one: a request that only the engine in memory takes would
// make every schedule say nothing of it. The contract suites send theirs to the real engines anyway, and behind the rules
// of AWS (test/support/engine.ts); what these refuse on both is test/contract/requests.test.ts.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { drawSchedules } from '../model/arbitrary.ts';
import type { Command } from '../model/gates.ts';
import { recording } from '../model/recorded-requests.ts';
import { runModel } from '../model/run-model.ts';
import { modelSeed } from '../model/try-schedules.ts';
import { createTestTable, engineName, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { createMemoryClient } from '../support/memory-client.ts';

let engine: TestEngine;
let table: TestTable;
beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
});
afterAll(() => engine.stop());

/** Beyond so many hardly a new request is met. */
const schedules = 20;
const stepsEach = 150;

test(`${engineName} takes every request of a model run (seed ${modelSeed})`, async () => {
  const met = new Map<string, Command>();
  for (const { config, steps } of drawSchedules(modelSeed, schedules)) {
    const memory = recording({ client: createMemoryClient(), tableName: table.tableName }, met);
    const { failure } = await runModel(memory, config, steps.slice(0, stepsEach));
    expect(failure).toBeUndefined();
  }
  // The kinds that the core sends: a recording that misses one says nothing of it.
  const kinds = new Set([...met.values()].map((command) => command.constructor.name));
  expect([...kinds].sort()).toEqual([
    'BatchGetCommand',
    'BatchWriteCommand',
    'DeleteCommand',
    'GetCommand',
    'PutCommand',
    'QueryCommand',
    'ScanCommand',
    'TransactWriteCommand',
    'UpdateCommand',
  ]);
  const refused: string[] = [];
  await sideBySide([...met], 8, async ([shape, command]) => {
    await table.client.send(command).catch((error: unknown) => {
      if (!isAnswer(error)) refused.push(`${String(error)}: ${shape}`);
    });
  });
  expect(refused).toEqual([]);
  console.info(`model requests: ${met.size} of different shapes`);
});

/** Two that are sent at the same moment may meet on an item. */
const codes: ReadonlySet<string | undefined> = new Set(['None', 'ConditionalCheckFailed', 'TransactionConflict']);

/** The table holds other items than in the run, so a condition may say no; what is invalid is so whatever it holds. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ConditionalCheckFailedException' || error.name === 'TransactionConflictException') return true;
  if (!('CancellationReasons' in error) || !Array.isArray(error.CancellationReasons)) return false;
  return error.CancellationReasons.every(({ Code }: { Code?: string }) => codes.has(Code));
}
