// A DynamoDB engine of its own for every test file: the same binary that the local run embeds, in memory; or DynamoDB
// Local, for the contract suites' second run (vitest.config.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { type DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { createTable } from '../../local/create-table.ts';
import { createDocumentClient, type DirectClient } from '../../shared/adapters/dynamodb/common/client.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createSdkClient } from '../../shared/adapters/dynamodb/common/sdk-client.ts';
import { tableDefinition } from '../../shared/config/table.ts';
import { findDynamoDbLocal, startDynamoDbLocal } from './dynamodb-local.ts';
import { checkRequest } from './memory-engine/rules/requests.ts';

/** What startTestEngine starts. */
export const engineName = process.env.TEST_ENGINE === 'dynamodb-local' ? 'DynamoDB Local' : 'the embedded engine';

export interface TestEngine {
  readonly endpoint: string;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** After `stop`: the same engine at the same endpoint, with what it had if it keeps it in a file. */
  restart(): Promise<void>;
}

export interface TestTable {
  readonly client: DocumentClient;
  readonly tableName: string;
}

export interface EngineTable extends TestTable {
  readonly client: DirectClient;
  /** The SDK's own, for what manages tables. */
  readonly plain: DynamoDBClient;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** Undefined where another process took the port in between: the engine says so and ends. */
async function startOn(port: number, dbPath: string | undefined): Promise<ChildProcess | undefined> {
  if (engineName === 'DynamoDB Local') {
    const found = findDynamoDbLocal(process.env);
    if ('missing' in found || dbPath !== undefined) throw new Error('DynamoDB Local cannot be started as asked');
    return startDynamoDbLocal(found.folder, port);
  }
  const binary = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  const child = spawn(binary, ['--port', String(port), ...(dbPath === undefined ? [] : ['--db-path', dbPath])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  const listening = await new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve(false));
    child.stderr.on('data', (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.join('').includes('listening on')) resolve(true);
    });
  });
  if (listening) return child;
  if (said.join('').includes('in use')) return undefined;
  throw new Error(`the engine did not start: ${said.join('')}`);
}

/** In memory, or in the file `dbPath`. */
export async function startTestEngine({ dbPath }: { readonly dbPath?: string } = {}): Promise<TestEngine> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const port = await freePort();
    let child = await startOn(port, dbPath);
    if (child === undefined) continue;
    const killNow = () => child?.kill('SIGKILL');
    process.once('exit', killNow);
    return {
      endpoint: `http://127.0.0.1:${port}`,
      stop: async () => {
        const running = child;
        child = undefined;
        process.off('exit', killNow);
        if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
        const gone = new Promise((resolve) => running.once('exit', resolve));
        running.kill('SIGKILL');
        await gone;
      },
      restart: async () => {
        child = await startOn(port, dbPath);
        if (child === undefined) throw new Error('another process took the port of the engine');
        process.once('exit', killNow);
      },
    };
  }
  throw new Error('found no free port for the engine in 10 attempts');
}

/** No engine refuses all that AWS does (test/contract/requests.test.ts); whatever a test sends, this does. */
function refusingAsAws({ send, destroy }: DirectClient): DirectClient {
  return {
    async send(command) {
      checkRequest(command.constructor.name, command.input);
      return send(command);
    },
    destroy,
  };
}

/** A new table under a name that nobody else has, with the time to live switched on as on AWS. */
export async function createTestTable(endpoint: string): Promise<EngineTable> {
  const client = refusingAsAws(createDocumentClient({ endpoint, requestTimeoutMs: 10_000 }));
  const { plain } = createSdkClient({ endpoint, requestTimeoutMs: 10_000 });
  const tableName = `test-${randomBytes(6).toString('hex')}`;
  await createTable(plain, tableName);
  await plain.send(
    new UpdateTimeToLiveCommand({
      TableName: tableName,
      TimeToLiveSpecification: { AttributeName: tableDefinition.timeToLive, Enabled: true },
    }),
  );
  return { client, plain, tableName };
}
