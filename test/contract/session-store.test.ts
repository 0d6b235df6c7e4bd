import { afterAll, beforeAll } from 'vitest';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTestTable, engineName, startTestEngine, type TestEngine, type TestTable } from '../support/engine.ts';
import { createMemoryClient } from '../support/memory-client.ts';
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

// The model and loads run on it, so it must be what the real engines are.
describeSessionStore('the engine in memory', () => createSessionStore(createMemoryClient(), 'memory', cryptoRandom));
describeWideRoster('the engine in memory', (layout) =>
  createSessionStore(createMemoryClient(), 'memory', cryptoRandom, { layout }),
);
