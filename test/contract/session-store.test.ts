import { afterAll, beforeAll } from 'vitest';
import { createSessionStore } from '../../shared/adapters/dynamodb/session-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { MemoryEngine } from '../model/memory-engine.ts';
import { createTestTable, engineName, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { describeSessionStore } from './session-store.ts';
import { describeWideRoster } from './wide-roster.ts';

let engine: TestEngine;
let table: TestTable;

beforeAll(async () => {
  engine = await startTestEngine();
  table = await createTestTable(engine.endpoint);
});
afterAll(() => engine.stop());

describeSessionStore(engineName, () => createSessionStore(table.client, table.tableName, cryptoRandom));

describeWideRoster(engineName, (layout) => createSessionStore(table.client, table.tableName, cryptoRandom, { layout }));

// The model runs on it, so it must be what the real engines are.
function inMemory(): TestTable['client'] {
  const memory = new MemoryEngine();
  return {
    send: (command: Parameters<MemoryEngine['send']>[0]) => memory.send(command),
  } as unknown as TestTable['client'];
}
describeSessionStore("the model's engine in memory", () => createSessionStore(inMemory(), 'memory', cryptoRandom));
describeWideRoster("the model's engine in memory", (layout) =>
  createSessionStore(inMemory(), 'memory', cryptoRandom, { layout }),
);
