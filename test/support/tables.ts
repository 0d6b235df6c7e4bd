// An engine for all tests of a file, and on it a table of their own: one for each of them, or one for all.

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createTestTable, type EngineTable, startTestEngine, type TestEngine } from './engine.ts';

type Begin = (table: EngineTable, endpoint: string) => Promise<void> | void;

/** Answers how to begin on a new table. */
function onNewTable(begin: Begin): () => Promise<void> {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());
  return async () => begin(await createTestTable(engine.endpoint), engine.endpoint);
}

/**
 * `begin` is given each test's table before it, and the address of its engine. Answers how a test begins again, on
 * another table.
 */
export function tableForEachTest(begin: Begin): () => Promise<void> {
  const next = onNewTable(begin);
  beforeEach(next);
  return next;
}

/** `begin` is given the one table of all tests, before the first of them. */
export function tableForAllTests(begin: Begin): void {
  beforeAll(onNewTable(begin));
}
