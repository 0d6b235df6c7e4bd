// The gate before the database and before the broker. Every call waits here until the schedule lets it through, one at
// a time, and what becomes of it is the schedule's choice: nothing that the code sends can pass by.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import type { Broker, BrokerSays } from '../../shared/ports/presence/broker.ts';
import type { Actor } from './actor.ts';

export type Command = Parameters<DocumentClient['send']>[0];
export type Send = (command: Command) => Promise<unknown>;

type Ended = Awaited<ReturnType<Broker['deleteConnection']>>;

interface Waiting {
  readonly actor: Actor;
  readonly answer: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}
export type StoreCall = Waiting & {
  readonly to: 'store';
  readonly command: Command;
  readonly name: string;
  readonly writes: boolean;
};
export type BrokerCall = Waiting & { readonly to: 'broker'; readonly what: 'ask' | 'end'; readonly id: BrokerClientId };
export type Call = StoreCall | BrokerCall;

const reads: ReadonlySet<string> = new Set(['GetCommand', 'BatchGetCommand', 'QueryCommand']);

export class Gates {
  readonly waiting: Call[] = [];

  /** The client of one process: what it sends waits here, and it can do nothing else. */
  clientFor(actor: Actor): DocumentClient {
    const send: Send = (command) =>
      this.wait((answer, fail) => {
        const name = command.constructor.name;
        return { to: 'store', actor, command, name, writes: !reads.has(name), answer, fail };
      });
    return { send } as unknown as DocumentClient;
  }

  brokerFor(actor: Actor): Broker {
    return {
      getConnection: async (id) =>
        (await this.wait((answer, fail) => ({ to: 'broker', what: 'ask', actor, id, answer, fail }))) as BrokerSays,
      deleteConnection: async (id) =>
        (await this.wait((answer, fail) => ({ to: 'broker', what: 'end', actor, id, answer, fail }))) as Ended,
    };
  }

  take(call: Call): void {
    const at = this.waiting.indexOf(call);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** Its calls that still wait were never sent. */
  forget(actor: Actor): void {
    for (const call of this.waiting.filter((one) => one.actor === actor)) this.take(call);
  }

  private wait(build: (answer: Waiting['answer'], fail: Waiting['fail']) => Call): Promise<unknown> {
    return new Promise((answer, fail) => {
      this.waiting.push(build(answer, fail));
    });
  }
}

/** Everything that can run without another answer has run: between two calls the code only awaits promises. */
export function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
