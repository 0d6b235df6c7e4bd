// The unit meter: what requests cost on AWS, from the items themselves before and after each of them, and how many of them
// wait for one another. It stands before the engine in memory, which answers as the real ones do (test/contract): no engine
// tells what index writes cost, and they are half of what an admission costs.
//
// Index writes inside a transaction are counted once: AWS says they follow after the transaction has completed, and
// names only the two writes of "every item in the transaction". That is read from the documentation, not measured.

import { setImmediate as othersFirst } from 'node:timers/promises';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { bytesOf, consistency, readUnits, writeUnits } from '../../test/support/memory-engine/charges.ts';
import { MemoryEngine } from '../../test/support/memory-engine/memory-engine.ts';
import { type Command, type ItemWrite, type Request, readRequest } from '../../test/support/memory-engine/requests.ts';
import { isInvalid } from '../../test/support/memory-engine/rules/invalid.ts';

export interface Units {
  /** Write units in all. */
  readonly write: number;
  /** Of them, those of indexes. */
  readonly indexWrite: number;
  readonly read: number;
  readonly requests: number;
}

export interface Spent extends Units {
  /** The longest chain of requests none of which began before the one before it had ended. */
  readonly inARow: number;
  /** The same of writes alone. */
  readonly writesInARow: number;
}

/** When a request began and ended. Order is all that matters, so these moments are numbered, not timed. */
interface Trip {
  readonly begun: number;
  ended: number;
  readonly writes: boolean;
}

const none: Units = { write: 0, indexWrite: 0, read: 0, requests: 0 };

export class Meter {
  readonly engine = new MemoryEngine();
  /** Whose requests are metered. It has `send`, and nothing else. */
  readonly client = { send: (command: Command) => this.send(command) } as unknown as DocumentClient;
  /** On the same table, and not metered. */
  readonly bareClient = this.engine as unknown as DocumentClient;
  /** Called with the name of each metered command that has taken effect, before it is answered. */
  beforeAnswer: (command: string) => Promise<unknown> = async () => undefined;
  private units = none;
  private trips: Trip[] = [];
  private moments = 0;

  /** What all metered requests cost while `work` goes on. */
  async spend<T>(work: () => Promise<T>): Promise<readonly [answer: T, spent: Spent]> {
    this.units = none;
    this.trips = [];
    const answer = await work();
    const writes = this.trips.filter((trip) => trip.writes);
    return [answer, { ...this.units, inARow: longestChain(this.trips), writesInARow: longestChain(writes) }];
  }

  private async send(command: Command): Promise<unknown> {
    this.charge({ requests: 1 });
    const request = readRequest(command);
    const trip = { begun: ++this.moments, ended: 0, writes: 'write' in request || 'writes' in request };
    this.trips.push(trip);
    // Requests that are sent together travel together: no answer comes before the last of them has left.
    await othersFirst();
    try {
      const answer = await this.carryOut(command, request);
      await this.beforeAnswer(command.constructor.name);
      return answer;
    } finally {
      trip.ended = ++this.moments;
    }
  }

  private carryOut(command: Command, request: Request): Promise<unknown> {
    const { table } = this.engine;
    switch (request.kind) {
      case 'get':
      case 'transaction get': {
        const how = request.kind === 'get' ? consistency(request.consistent) : 'transactional';
        for (const key of request.keys) this.charge({ read: readUnits(bytesOf(table.find(key)), how) });
        return this.engine.send(command);
      }
      case 'query': {
        const { query } = request;
        this.charge({ read: readUnits(table.query(query).bytes, consistency(query.ConsistentRead)) });
        return this.engine.send(command);
      }
      case 'write':
        return this.write(command, [request.write], 1);
      case 'batch write':
        return this.write(command, request.writes, 1);
      case 'transaction':
        return this.write(command, request.writes, 2);
      case 'scan':
        throw new Error('the unit meter does not know ScanCommand');
    }
  }

  /** A failed condition and a cancelled transaction are charged; a request that is malformed is not. */
  private async write(command: Command, writes: readonly ItemWrite[], factor: 1 | 2): Promise<unknown> {
    const { table } = this.engine;
    const before = writes.map(({ key }) => table.find(key));
    // The engine has carried it out, or refused it, when `send` answers its promise.
    const answer = this.engine.send(command);
    const after = writes.map(({ key }) => table.find(key));
    const settle = (refused: boolean): void => {
      for (const [n, { proposed }] of writes.entries()) {
        const indexWrite = table.indexCharges(before[n], after[n]).reduce((sum, charge) => sum + charge.units, 0);
        const base = writeUnits(before[n], refused ? (proposed ?? after[n]) : after[n]);
        this.charge({ write: factor * base + indexWrite, indexWrite });
      }
    };
    try {
      const answered = await answer;
      settle(false);
      return answered;
    } catch (error) {
      if (!isInvalid(error)) settle(true);
      throw error;
    }
  }

  private charge(more: Partial<Units>): void {
    const { write, indexWrite, read, requests } = this.units;
    this.units = {
      write: write + (more.write ?? 0),
      indexWrite: indexWrite + (more.indexWrite ?? 0),
      read: read + (more.read ?? 0),
      requests: requests + (more.requests ?? 0),
    };
  }
}

/** Whichever ends first is always part of a longest chain. */
function longestChain(trips: readonly Trip[]): number {
  let chain = 0;
  let free = 0;
  for (const { begun, ended } of [...trips].sort((a, b) => a.ended - b.ended)) {
    if (begun <= free) continue;
    chain += 1;
    free = ended;
  }
  return chain;
}
