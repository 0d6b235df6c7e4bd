// One engine for all tests of a file, and a table of its own for each of them.

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createTestTable, startTestEngine, type TestEngine, type TestTable } from './engine.ts';

/**
 * `begin` is given each test's table before it, and the address of its engine. Answers how a test begins again, on
 * another table.
 */
export function tableForEachTest(
  begin: (table: TestTable, endpoint: string) => Promise<void> | void,
): () => Promise<void> {
  let engine: TestEngine;
  const next = async (): Promise<void> => begin(await createTestTable(engine.endpoint), engine.endpoint);
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());
  beforeEach(next);
  return next;
}
