// A process that dies: all its calls, to the database and to the broker, go through here, and from the chosen one on
// nothing comes back any more. What it had sent before has happened.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';

type Command = Parameters<DocumentClient['send']>[0];

export class Mortal {
  calls = 0;
  readonly died: Promise<'died'>;
  private readonly dieAt: number;
  private readonly when: 'before' | 'after';
  private tellDeath: () => void = () => undefined;

  /** Dies at its call number `dieAt`: before it is sent, or after it was carried out. */
  constructor(dieAt: number, when: 'before' | 'after') {
    this.dieAt = dieAt;
    this.when = when;
    this.died = new Promise((resolve) => {
      this.tellDeath = () => resolve('died');
    });
  }

  client(real: DocumentClient): DocumentClient {
    const send = (command: Command): Promise<unknown> => this.pass(() => real.send(command) as Promise<unknown>);
    return { send } as unknown as DocumentClient;
  }

  broker(real: Broker): Broker {
    return {
      getConnection: (id) => this.pass(() => real.getConnection(id)),
      deleteConnection: (id, options) => this.pass(() => real.deleteConnection(id, options)),
    };
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls < this.dieAt) return call();
    if (this.calls === this.dieAt && this.when === 'after') await call();
    this.tellDeath();
    return new Promise(() => undefined);
  }
}
