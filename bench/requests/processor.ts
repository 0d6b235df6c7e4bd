// What one request to the table costs the process that sends it, beside the SDK's document client.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as sdk from '@aws-sdk/lib-dynamodb';
import { createTableAt } from '../../local/create-table.ts';
import { startEngine } from '../../local/engine.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { GetCommand, TransactWriteCommand, UpdateCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { latencyRows, ratioRow, takeTurns } from '../latency/rounds.ts';
import type { SectionOptions, SectionResult } from '../section.ts';

const requestBudget = 0.4;
const requests = 240;
const atOnce = 16;

const TableName = 'requests';
const keyOf = (n: number) => ({ pk: `S|demo|${n % 10}|alice`, sk: `device-${n}` });
const read = (n: number) => ({ TableName, Key: keyOf(n), ConsistentRead: true });
const counted = (n: number) => ({
  TableName,
  Key: keyOf(n),
  UpdateExpression: 'SET rev = :rev ADD used :one, places :places',
  ConditionExpression: 'attribute_not_exists(used) OR used < :limit',
  ExpressionAttributeValues: { ':rev': `revision-${n}`, ':one': 1, ':limit': 1e9, ':places': new Set([bytes]) },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});
const bytes = new Uint8Array([1, 2, 3, 4]);
const together = (n: number) => ({ TransactItems: [{ Update: counted(n) }, { Update: counted(n + 1) }] });

/** One of each kind that a CONNECT sends. */
type Send = readonly ((n: number) => Promise<unknown>)[];

/** Milliseconds of this process's processor time for each request. */
async function processorTime(send: Send, count: number): Promise<number> {
  const before = process.cpuUsage();
  await sideBySide(
    Array.from({ length: count }, (_, n) => n),
    atOnce,
    async (n) => void (await send[n % send.length]?.(3 * n)),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / count;
}

export async function timeRequests({ full }: Pick<SectionOptions, 'full'>): Promise<SectionResult> {
  const engine = await startEngine({ dataDir: ':memory:' });
  const { endpoint } = engine;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const document = sdk.DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: 'local', credentials }));
  const options = { endpoint, requestTimeoutMs: 60_000 };
  const signing = createDocumentClient(options);
  const plain = createDocumentClient({ ...options, unsigned: true });
  const own = ({ send }: typeof plain): Send => [
    (n) => send(new GetCommand(read(n))),
    (n) => send(new UpdateCommand(counted(n))),
    (n) => send(new TransactWriteCommand(together(n))),
  ];
  const theirs: Send = [
    (n) => document.send(new sdk.GetCommand(read(n))),
    (n) => document.send(new sdk.UpdateCommand(counted(n))),
    (n) => document.send(new sdk.TransactWriteCommand(together(n))),
  ];
  try {
    await createTableAt(endpoint, TableName);
    const [rounds, turns] = full ? [21, 5] : [7, 1];
    const subjects = Object.entries({ sdk: theirs, signed: own(signing), unsigned: own(plain) });
    const times = await takeTurns(
      subjects.map(([name, send]) => ({ name, work: () => processorTime(send, requests) })),
      rounds,
      turns,
    );
    return {
      rows: [
        ratioRow(times, 'signed', 'sdk', {
          what: "processor time of a request, to that of the SDK's document client",
          budget: requestBudget,
          headline: true,
        }),
        ratioRow(times, 'unsigned', 'sdk', {
          what: "processor time of a request to the embedded engine, to that of the SDK's document client",
          budget: requestBudget,
        }),
        ...latencyRows(times, 'signed', 'processor time of a request'),
        ...latencyRows(times, 'sdk', "processor time of a request of the SDK's document client"),
      ],
      notes: [
        `Readings, conditional updates and transactions of two updates in equal parts, ${atOnce} at a time, on the embedded engine in memory, whose own time is not in it; ${rounds} rounds, in each of them ${turns} times ${requests} requests of everything in turns. Both sides sign as for AWS, but without TLS; requests to the embedded engine, which verifies none, carry no computed signature.`,
      ],
    };
  } finally {
    for (const client of [document, signing, plain]) client.destroy();
    await engine.stop();
  }
}
