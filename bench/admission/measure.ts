// The candidates against the engine: what each path costs in units, how long an admission takes beside one bare
// transactional write, and whether the count is exact when 200 come at once.

import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { tableDefinition } from '../../shared/config/table.ts';
import type { ClientId, Username } from '../../shared/domain/ids.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { meter, type Units } from '../meter/meter.ts';
import { createCandidates } from './candidates.ts';
import {
  type Arrival,
  confirmed,
  counterKey,
  met,
  newSession,
  putSession,
  putSessionInput,
  readUsed,
} from './sessions.ts';
import type { Target } from './target.ts';

/** A username and client id of everyday length; different everywhere. */
function arrivalOf(group: string, username: number, client: number): Arrival {
  return {
    username: `${group}-user-${String(username).padStart(6, '0')}` as Username,
    clientId: `${group}-device-${String(client).padStart(8, '0')}` as ClientId,
  };
}

/** Units of each path, one request after another. */
export async function measureUnits(target: Target): Promise<ReadonlyMap<string, Readonly<Record<string, Units>>>> {
  const { client, tableName } = target;
  const counted = meter(client, { tableDefinition, ...target });
  const paths = new Map<string, Readonly<Record<string, Units>>>();
  const behind = createCandidates(client, tableName, async (...at) => {
    await readUsed(...at);
    return 0;
  });
  for (const [place, candidate] of createCandidates(client, tableName).entries()) {
    const at = (clientNumber: number): Arrival => arrivalOf(`units-${candidate.name}`, 0, clientNumber);
    const [first, second] = [newSession(at(0)), newSession(at(1))];
    const back = met(confirmed(second));
    const put = (session: Session, expected: Session) => putSession(client, tableName, session, expected);
    counted.reset();
    await counted.label('new, first of its username', () => candidate.admit(at(0), 2));
    await counted.label('new', () => candidate.admit(at(1), 2));
    await counted.label('rejected', () => candidate.admit(at(2), 2));
    await counted.label('rejected, lost a race', async () => behind[place]?.admit(at(3), 2));
    await counted.label('confirm', () => put(confirmed(second), second));
    await counted.label('reconnect', () => put(back, confirmed(second)));
    await put(confirmed(second), back);
    await counted.label('free', () => candidate.free(confirmed(second), false));
    await put(confirmed(first), first);
    await counted.label('free, last of its username', () => candidate.free(confirmed(first), true));
    paths.set(candidate.name, counted.units().labels);
  }
  counted.detach();
  return paths;
}

export interface Timing {
  readonly name: string;
  readonly medianMs: number;
  /** Admissions, or bare writes, a second with 32 at a time. */
  readonly perSecond: number;
}

const rounds = 300;
const lanes = 32;
const turns = 10;
const perTurn = 160;

/** The candidates and a bare transactional write in turns, so that whatever else the machine does meets them alike. */
export async function measureTime({ client, tableName }: Target): Promise<readonly Timing[]> {
  const bare = { name: 'bare transactional write', admit: (arrival: Arrival) => writeBare(client, tableName, arrival) };
  const subjects = [bare, ...createCandidates(client, tableName)];
  const latencies = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = -50; round < rounds; round++) {
    for (const { name, admit } of subjects) {
      const arrival = arrivalOf(`time-${name}`, round + 50, round + 50);
      const began = performance.now();
      await admit(arrival, 100);
      if (round >= 0) latencies.get(name)?.push(performance.now() - began);
    }
  }
  // The rate in turns too: the engine slows down as its table grows.
  const spentMs = new Map<string, number>();
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, admit } of subjects) {
      const lane = async (from: number): Promise<void> => {
        for (let each = from; each < perTurn; each += lanes)
          await admit(arrivalOf(`rate-${name}`, turn * perTurn + each, turn * perTurn + each), 100);
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: lanes }, (_, from) => lane(from)));
      spentMs.set(name, (spentMs.get(name) ?? 0) + performance.now() - began);
    }
  }
  return subjects.map(({ name }) => {
    const sorted = (latencies.get(name) ?? []).sort((a, b) => a - b);
    const perSecond = (turns * perTurn) / ((spentMs.get(name) ?? 0) / 1_000);
    return { name, medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, perSecond };
  });
}

/** A counter and a session in one transaction, and nothing else. */
async function writeBare(client: DynamoDBDocumentClient, tableName: string, arrival: Arrival): Promise<void> {
  const counted = {
    TableName: tableName,
    Key: counterKey(arrival.username),
    UpdateExpression: 'ADD used :one',
    ExpressionAttributeValues: { ':one': 1 },
  };
  const put = putSessionInput(tableName, newSession(arrival), undefined);
  await client.send(new TransactWriteCommand({ TransactItems: [{ Update: counted }, { Put: put }] }));
}

export interface Exactness {
  readonly name: string;
  readonly admitted: number;
  readonly rejected: number;
  readonly used: number;
}

/** All of them at the same moment, against one username. */
export async function measureExactness(target: Target, arrivals: number, max: number): Promise<readonly Exactness[]> {
  const { client, tableName } = target;
  const found: Exactness[] = [];
  for (const { name, admit } of createCandidates(client, tableName)) {
    const group = `exact-${name}`;
    const verdicts = await Promise.all(
      Array.from({ length: arrivals }, (_, each) => admit(arrivalOf(group, 0, each), max)),
    );
    const key = counterKey(arrivalOf(group, 0, 0).username);
    const counter = await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
    const admitted = verdicts.filter((verdict) => verdict === 'admitted').length;
    found.push({ name, admitted, rejected: arrivals - admitted, used: Number(counter.Item?.used ?? 0) });
  }
  return found;
}
