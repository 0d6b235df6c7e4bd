// Somebody who talks to the database: a CONNECT, or several that one process decides side by side, one delivery of presence
// messages, one sweep, one kick, one recount. Each is a process of its own here: it can die between any two of its calls,
// and then nothing of it goes on.

import type { DeploymentId } from '../../shared/domain/ids.ts';
import type { Ms } from '../../shared/domain/time.ts';

export type ActorKind = 'connect' | 'presence' | 'sweeper' | 'worker';

export interface Actor {
  readonly id: number;
  readonly kind: ActorKind;
  readonly startedAt: Ms;
  /** Whose business it is; a sweeper serves all. */
  readonly deploymentId: DeploymentId | undefined;
  /** How many CONNECTs it decides side by side. */
  readonly connects?: number;
  /** The front door that runs it, if it is one. */
  readonly door: number | undefined;
  /** The limit it was given, Infinity where none is enforced; only a CONNECT has one. */
  max: number;
  readonly title: string;
  state: 'running' | 'done' | 'dead';
  /** What its last write that happened was, to tell where it died. */
  lastWrite: string | undefined;
  /** Whether any call of it met a fault. */
  faulted: boolean;
}
