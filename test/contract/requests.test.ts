// Which requests are refused as invalid: the engine in memory, which the model and loads run on, must refuse all that
// DynamoDB refuses, or they pass over messages that can never be applied. The same table holds the real engines against it;
// where one of them takes more than AWS does, its row says so.

import { beforeAll, describe, expect, test } from 'vitest';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { engineName } from '../support/engine.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { tableForAllTests } from '../support/tables.ts';
import { badRows, goodRows, type Row } from './request-rows.ts';

type Command = Parameters<DocumentClient['send']>[0];

let real: DocumentClient;
let tableName: string;
tableForAllTests((table, endpoint) => {
  // A client of its own: nothing may look at a request before the engine does.
  real = createDocumentClient({ endpoint, requestTimeoutMs: 10_000 });
  tableName = table.tableName;
});

/** What became of it: `invalid` as well where the client itself can make no request of it. */
async function verdict(client: DocumentClient, row: Row): Promise<'taken' | 'invalid'> {
  const command = row.build(tableName) as Command;
  return client.send(command).then(
    () => 'taken',
    (error: unknown) => {
      if (isRefusal(error)) return 'invalid';
      throw error;
    },
  );
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ValidationException' || error.name === 'SerializationException') return true;
  if ('CancellationReasons' in error && Array.isArray(error.CancellationReasons))
    return error.CancellationReasons.some(({ Code }: { Code?: string }) => Code === 'ValidationError');
  // Of the SDK's own conversion into attribute values.
  return error.name === 'Error' && error.stack?.includes('util-dynamodb') === true;
}

describe('the engine in memory', () => {
  let memory: DocumentClient;
  beforeAll(() => {
    memory = createMemoryClient();
  });
  test.each(goodRows)('takes $what', async (row) => {
    expect(await verdict(memory, row)).toBe('taken');
  });
  test.each(badRows)('refuses $what', async (row) => {
    expect(await verdict(memory, row)).toBe('invalid');
  });
});

describe(engineName, () => {
  test.each(goodRows)('takes $what', async (row) => {
    expect(await verdict(real, row)).toBe('taken');
  });
  test.each(badRows)('refuses $what', async (row) => {
    expect(await verdict(real, row), row.lax?.[engineName]).toBe(
      row.lax?.[engineName] === undefined ? 'invalid' : 'taken',
    );
  });
});
