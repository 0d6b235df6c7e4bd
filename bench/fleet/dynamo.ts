// DynamoDB under contention, for requests that are real: what each of them means says test/support/memory-engine, what
// stands in its way says this. Partitions that throttle, items that take one write at a time, transactions that hold their
// items and cancel each other, the way there and back. The figures, and what they rest on, are in parameters.ts.
//
// An index throttles the table it belongs to. Its writes follow those of the table, so they are charged when the item is
// written: whoever comes while an index partition is in debt is turned away.
//
// Eventually consistent reads answer what is there: that they may lag is for test/model.

import {
  type CancellationReason,
  ProvisionedThroughputExceededException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { bytesOf, consistency, readUnits, writeUnits } from '../../test/support/memory-engine/charges.ts';
import {
  batchAnswer,
  cancellation,
  MemoryEngine,
  queryAnswer,
  reasonOf,
  refusal,
  writeAnswer,
} from '../../test/support/memory-engine/memory-engine.ts';
import {
  type Command,
  type ItemWrite,
  type Key,
  type QueryInput,
  type Request,
  readRequest,
} from '../../test/support/memory-engine/requests.ts';
import type { Chance } from './chance.ts';
import type { Parameters } from './parameters.ts';
import { type Capacity, type Line, Partitions } from './partitions.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error };

export class SimulatedDynamo {
  readonly engine = new MemoryEngine();
  readonly partitions: Partitions;
  readonly counts = { requests: 0, throttled: 0, conflicts: 0, refused: 0, writeUnits: 0, readUnits: 0 };
  private readonly done = new Set<string>();
  private transactions = 0;
  private readonly time: VirtualTime;
  private readonly chance: Chance;
  private readonly parameters: Parameters;

  constructor(time: VirtualTime, chance: Chance, parameters: Parameters) {
    this.time = time;
    this.chance = chance;
    this.parameters = parameters;
    this.partitions = new Partitions(parameters);
  }

  /** One try of one request: it arrives, is let in or not, takes effect, and its answer travels back. */
  request(command: Command, answer: (answer: Answer) => void): void {
    this.counts.requests++;
    const back = (value: Answer): void => this.time.later(this.way(), () => answer(value));
    this.time.later(this.way(), () => this.arrive(command, back));
  }

  private arrive(command: Command, back: (answer: Answer) => void): void {
    const request = readRequest(command);
    switch (request.kind) {
      case 'get':
        back(this.get(request));
        break;
      case 'query':
        back(this.query(request.query));
        break;
      case 'write':
        this.writeOne(request.write, back);
        break;
      case 'transaction':
        this.transact(request.writes, request.token, back);
        break;
      case 'batch write':
      case 'transaction get':
      case 'scan':
        throw new Error(`nobody under load sends ${command.constructor.name}`);
    }
  }

  /** What a partition has no room for is left unread, and told so; where that is all of it, the request is throttled. */
  private get({ keys, consistent, batchOf }: Request & { readonly kind: 'get' }): Answer {
    const { table } = this.engine;
    const unread = keys.filter(
      (key) => !this.grantRead(key.pk, readUnits(bytesOf(table.find(key)), consistency(consistent))),
    );
    if (unread.length === keys.length) return this.throttled();
    const found = keys.map((key) => (unread.includes(key) ? undefined : table.find(key)));
    return { ok: true, value: batchOf === undefined ? { Item: found[0] } : batchAnswer(batchOf, found, unread) };
  }

  private query(query: QueryInput): Answer {
    const page = this.engine.table.query(query);
    if (!this.grantRead(page.partition, readUnits(page.bytes, consistency(query.ConsistentRead))))
      return this.throttled();
    return { ok: true, value: queryAnswer(query, page) };
  }

  private writeOne(write: ItemWrite, back: (answer: Answer) => void): void {
    const granted = this.grantWrites([write], 1);
    if (granted === undefined) back(this.throttled());
    else this.inTurn(write.key, (line) => back(this.writeInTurn(write, line, granted[0] ?? 1)));
  }

  private writeInTurn(write: ItemWrite, line: Line, granted: number): Answer {
    if (line.heldBy !== undefined) {
      this.counts.conflicts++;
      return {
        ok: false,
        error: new TransactionConflictException({ $metadata: {}, message: 'a transaction holds it' }),
      };
    }
    const before = this.engine.table.find(write.key);
    if (!this.engine.table.allows(write)) {
      this.counts.refused++;
      return { ok: false, error: refusal(write, before) };
    }
    return { ok: true, value: writeAnswer(write, this.apply(write, granted, 1)) };
  }

  /** Two phases: every item prepares in its turn, is held, and commits; one that cannot prepare cancels them all. */
  private transact(writes: readonly ItemWrite[], token: string | undefined, back: (answer: Answer) => void): void {
    const granted = this.grantWrites(writes, 2);
    if (granted === undefined || (token !== undefined && this.done.has(token))) {
      back(granted === undefined ? this.throttled() : { ok: true, value: {} });
      return;
    }
    const transaction = ++this.transactions;
    const reasons: CancellationReason[] = writes.map(() => ({ Code: 'None' }));
    let waiting = writes.length;
    const settle = (): void => {
      const cancelled = reasons.some(({ Code }) => Code !== 'None');
      const hold = this.chance.lognormal(this.parameters.holdMs, this.parameters.holdSigma);
      // To be told of a cancellation takes one of the two rounds that a commit takes.
      this.time.later(cancelled ? hold / 2 : hold, () => {
        for (const [place, write] of writes.entries()) {
          const { lines } = this.partitions.of(write.key.pk);
          const line = lines.get(write.key.sk);
          if (line?.heldBy !== transaction) continue;
          line.heldBy = undefined;
          if (!cancelled) this.apply(write, granted[place] ?? 1, 2);
          this.leave(lines, write.key.sk, line);
        }
        if (reasons.some(({ Code }) => Code === 'TransactionConflict')) this.counts.conflicts++;
        if (!cancelled && token !== undefined) this.done.add(token);
        back(cancelled ? { ok: false, error: cancellation(reasons) } : { ok: true, value: {} });
      });
    };
    for (const [place, write] of writes.entries()) {
      this.inTurn(write.key, (line) => {
        const reason = line.heldBy === undefined ? reasonOf(write, this.engine.table) : { Code: 'TransactionConflict' };
        reasons[place] = reason;
        if (reason.Code === 'None') line.heldBy = transaction;
        if (--waiting === 0) settle();
      });
    }
  }

  /** A write costs the larger of before and after; the item may have grown since the request was let in. */
  private apply(write: ItemWrite, granted: number, factor: 1 | 2): Item | undefined {
    const { table } = this.engine;
    const before = table.find(write.key);
    const after = write.after(before);
    table.store(write.key, after);
    this.owe(write.key.pk, factor * (writeUnits(before, after) - granted));
    for (const { partition, units } of table.indexCharges(before, after)) this.owe(partition, units);
    return after;
  }

  private owe(partition: string, units: number): void {
    if (units > 0) this.take(this.partitions.of(partition).write, units);
  }

  /** All partitions of a request or none; answers the units of each write. */
  private grantWrites(writes: readonly ItemWrite[], factor: 1 | 2): readonly number[] | undefined {
    const { table } = this.engine;
    const { now } = this.time;
    const units: number[] = [];
    for (const write of writes) {
      const before = table.find(write.key);
      const needed = writeUnits(before, undefined);
      units.push(needed);
      const after = table.allows(write) ? write.after(before) : before;
      for (const { partition } of table.indexCharges(before, after))
        if (!this.partitions.of(partition).write.has(1, now)) return undefined;
      if (!this.partitions.of(write.key.pk).write.has(factor * needed, now)) return undefined;
    }
    for (const [place, { key }] of writes.entries())
      this.take(this.partitions.of(key.pk).write, factor * (units[place] ?? 1));
    return units;
  }

  private grantRead(partition: string, units: number): boolean {
    const { read } = this.partitions.of(partition);
    if (!read.has(units, this.time.now)) return false;
    read.take(units, this.time.now);
    this.counts.readUnits += units;
    return true;
  }

  private take(capacity: Capacity, units: number): void {
    capacity.take(units, this.time.now);
    this.counts.writeUnits += units;
  }

  private throttled(): Answer {
    this.counts.throttled++;
    const error = new ProvisionedThroughputExceededException({
      $metadata: { httpStatusCode: 400 },
      message: 'throttled',
    });
    return { ok: false, error };
  }

  /** Gives a write its turn; the line is forgotten when nobody stands in it. */
  private inTurn({ pk, sk }: Key, act: (line: Line) => void): void {
    const { lines } = this.partitions.of(pk);
    const line = lines.get(sk) ?? { freeAt: 0, heldBy: undefined, waiting: 0 };
    lines.set(sk, line);
    line.waiting++;
    line.freeAt = Math.max(line.freeAt, this.time.now) + this.parameters.itemWriteMs;
    this.time.later(line.freeAt - this.time.now, () => {
      line.waiting--;
      act(line);
      this.leave(lines, sk, line);
    });
  }

  private leave(lines: Map<string, Line>, sk: string, line: Line): void {
    if (line.waiting === 0 && line.heldBy === undefined) lines.delete(sk);
  }

  private way(): number {
    return this.chance.lognormal(this.parameters.wayMs, this.parameters.waySigma);
  }
}
