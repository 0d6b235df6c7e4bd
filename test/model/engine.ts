// What a run stands on, and what may stand between the code and what it calls.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import type { ClientId, DeploymentId } from '../../shared/domain/ids.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import type { Actor } from './actor.ts';
import type { Command } from './gates.ts';

export interface Engine {
  /** Only its `send` is used. */
  readonly client: Pick<DocumentClient, 'send'>;
  readonly tableName: string;
}

/** A bug that is planted to see whether it is found: it stands between the code and what it calls. */
export interface Planted {
  /** Changes a request on its way to the table. */
  readonly tamper?: (command: Command, actor: Actor) => Command;
  /** Takes the place of what applies a presence message; 'not mine' leaves it to the code. */
  readonly apply?: (ports: LifeCyclePorts, body: unknown) => Promise<'applied' | 'not mine'>;
  /** Takes the place of a kick. */
  readonly kick?: (ports: LifeCyclePorts, deploymentId: DeploymentId, clientId: ClientId) => Promise<void>;
  readonly broker?: (broker: Broker, actor: Actor) => Broker;
  readonly store?: (store: SessionStore, actor: Actor, clock: Clock) => SessionStore;
}
