// DynamoDB under contention, as far as admission feels it: partitions that throttle, items that take one write at a
// time, transactions that hold their items and cancel each other. What it must not know: what the items mean.

import type { Chance } from './chance.ts';
import type { Parameters } from './parameters.ts';
import { all, type Process, type Simulation } from './simulation.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ItemState {
  bytes: number;
  used: number;
  /** When the writes that stand in line are done. */
  freeAt: number;
  /** The transaction that has prepared it. */
  heldBy: number | undefined;
}

export interface Write {
  readonly partition: string;
  readonly item: string;
  /** Partitions of indexes in which it makes or removes an entry; one unit each, never doubled. */
  readonly indexes?: readonly string[];
  readonly allows?: (item: ItemState) => boolean;
  readonly apply?: (item: ItemState) => void;
}

/** `refused`: its condition failed. `conflict`: a transaction holds the item. */
export type Answer = 'done' | 'refused' | 'conflict' | 'throttled';

const emptyItemBytes = 120;

const unitsOf = (item: ItemState): number => Math.ceil(item.bytes / 1_024);

export class Database {
  readonly answers: Record<Answer, number> = { done: 0, refused: 0, conflict: 0, throttled: 0 };
  writeUnits = 0;
  private readonly items = new Map<string, ItemState>();
  private readonly buckets = new Map<string, TokenBucket>();
  private transactions = 0;
  private readonly simulation: Simulation;
  private readonly chance: Chance;
  private readonly parameters: Parameters;

  constructor(simulation: Simulation, chance: Chance, parameters: Parameters) {
    this.simulation = simulation;
    this.chance = chance;
    this.parameters = parameters;
  }

  item(name: string): ItemState {
    const known = this.items.get(name);
    if (known !== undefined) return known;
    const item = { bytes: emptyItemBytes, used: 0, freeAt: 0, heldBy: undefined };
    this.items.set(name, item);
    return item;
  }

  /** Reads items of any partitions in one batch, eventually consistent. */
  *read(partitions: readonly string[]): Process<Answer> {
    yield this.way();
    const granted = partitions.every((name) => this.bucket(name, 'read').take(0.5, this.simulation.now));
    yield this.way();
    return this.count(granted ? 'done' : 'throttled');
  }

  *write(write: Write): Process<Answer> {
    yield this.way();
    const answer = this.grant([write], 1) ? yield* this.writeInTurn(write) : 'throttled';
    yield this.way();
    return this.count(answer);
  }

  private *writeInTurn(write: Write): Process<Answer> {
    const item = this.item(write.item);
    const granted = unitsOf(item);
    yield this.turn(item);
    if (item.heldBy !== undefined) return 'conflict';
    if (write.allows?.(item) === false) return 'refused';
    this.apply(write, granted, 1);
    return 'done';
  }

  /** Two phases: every item prepares in its turn, is held, and commits; one that cannot prepare cancels them all. */
  *transact(writes: readonly Write[]): Process<Answer> {
    yield this.way();
    const answer = this.grant(writes, 2) ? yield* this.commit(writes) : 'throttled';
    yield this.way();
    return this.count(answer);
  }

  private *commit(writes: readonly Write[]): Process<Answer> {
    const transaction = ++this.transactions;
    const granted = writes.map((write) => unitsOf(this.item(write.item)));
    const prepared = yield* all(writes.map((write) => this.prepare(write, transaction)));
    const cancelled = prepared.find((answer) => answer === 'refused') ?? prepared.find((answer) => answer !== 'done');
    const hold = this.chance.lognormal(this.parameters.holdMs, this.parameters.holdSigma);
    // To be told of a cancellation takes one of the two rounds that a commit takes.
    yield cancelled === undefined ? hold : hold / 2;
    for (const [place, write] of writes.entries()) {
      const item = this.item(write.item);
      if (item.heldBy !== transaction) continue;
      item.heldBy = undefined;
      if (cancelled === undefined) this.apply(write, granted[place] ?? 1, 2);
    }
    return cancelled ?? 'done';
  }

  private *prepare(write: Write, transaction: number): Process<Answer> {
    const item = this.item(write.item);
    yield this.turn(item);
    if (item.heldBy !== undefined) return 'conflict';
    if (write.allows?.(item) === false) return 'refused';
    item.heldBy = transaction;
    return 'done';
  }

  /** A write costs the larger of before and after; the item may have grown since the request was let in. */
  private apply(write: Write, granted: number, factor: 1 | 2): void {
    const item = this.item(write.item);
    const before = unitsOf(item);
    write.apply?.(item);
    const owed = factor * (Math.max(before, unitsOf(item)) - granted);
    if (owed <= 0) return;
    this.bucket(write.partition, 'write').owe(owed);
    this.writeUnits += owed;
  }

  /** All partitions of a request or none: a hot index refuses the write of its table. */
  private grant(writes: readonly Write[], factor: 1 | 2): boolean {
    const wanted = writes.flatMap((write) => [
      { bucket: this.bucket(write.partition, 'write'), units: factor * unitsOf(this.item(write.item)) },
      ...(write.indexes ?? []).map((name) => ({ bucket: this.bucket(name, 'write'), units: 1 })),
    ]);
    if (!wanted.every(({ bucket, units }) => bucket.has(units, this.simulation.now))) return false;
    for (const { bucket, units } of wanted) {
      bucket.take(units, this.simulation.now);
      this.writeUnits += units;
    }
    return true;
  }

  private bucket(partition: string, kind: 'read' | 'write'): TokenBucket {
    const name = `${kind} ${partition}`;
    const known = this.buckets.get(name);
    if (known !== undefined) return known;
    const rate = kind === 'read' ? this.parameters.partitionReadUnits : this.parameters.partitionWriteUnits;
    const bucket = new TokenBucket(rate, rate * this.parameters.burstSeconds);
    this.buckets.set(name, bucket);
    return bucket;
  }

  private turn(item: ItemState): number {
    item.freeAt = Math.max(item.freeAt, this.simulation.now) + this.parameters.itemWriteMs;
    return item.freeAt - this.simulation.now;
  }

  private way(): number {
    return this.chance.lognormal(this.parameters.wayMs, this.parameters.waySigma);
  }

  private count(answer: Answer): Answer {
    this.answers[answer]++;
    return answer;
  }
}
