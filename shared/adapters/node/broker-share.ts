// Keeps a process's GetConnection calls within its share of what the account may send. Who asks waits a little for its
// turn; where it does not come in time the answer is `unknown`, which every caller can live with. The worthier kind goes
// first, and within a kind the deployments take turns, so that no tenant can use up what all share.

import type { Ms } from '../../domain/time.ts';
import type { Clock, Schedule } from '../../ports/common/clock.ts';
import type { Broker, BrokerSays } from '../../ports/presence/broker.ts';
import { realSchedule } from './clock.ts';
import { Tokens } from './tokens.ts';

export interface BrokerShareOptions<Kind extends string> {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly callsPerSecond: number;
  /** Calls that may go out at once after a time of rest; at least 1. */
  readonly burst: number;
  /** How long who asks waits at most. */
  readonly waitMs: number;
  /**
   * For so long after a question of a deployment could not be answered in time, none of its others waits: they are answered
   * where there is room for them at once, or told `unknown`. For who is held up by waiting with others behind it; without
   * it everybody waits.
   */
  readonly passMs?: number;
  /** Kinds in order of worth, the worthiest first. */
  readonly kinds: readonly Kind[];
  readonly schedule?: Schedule;
}

export interface BrokerShare<Kind extends string> {
  /** The broker as one kind of caller sees it. DeleteConnection has a rate of its own and passes. */
  of(kind: Kind): Broker;
}

interface Waiter {
  readonly send: () => void;
  readonly giveUp: () => void;
  cancel: () => void;
}

export function createBrokerShare<Kind extends string>(options: BrokerShareOptions<Kind>): BrokerShare<Kind> {
  const { broker, clock, waitMs, passMs = 0, kinds, schedule = realSchedule } = options;
  const tokens = new Tokens(options.clock, options.callsPerSecond, options.burst);
  const queues = new Map<Kind, Turns>(kinds.map((kind) => [kind, new Turns()]));
  /** When a question of a deployment was last turned away. */
  const turnedAwayAt = new Map<string, Ms>();
  let armed: (() => void) | undefined;

  function pump(): void {
    armed?.();
    armed = undefined;
    for (const kind of kinds) {
      const turns = queues.get(kind);
      while (turns !== undefined && turns.size > 0) {
        if (!tokens.take()) {
          armed = schedule(pump, tokens.nextInMs());
          return;
        }
        turns.next()?.send();
      }
    }
  }

  function ask(kind: Kind, id: Parameters<Broker['getConnection']>[0]): Promise<BrokerSays> {
    const turns = queues.get(kind);
    const deployment = id.slice(0, Math.max(0, id.indexOf(':')));
    if (turns === undefined) return Promise.resolve({ kind: 'unknown' });
    const passes = isPassing(deployment);
    // Nobody who stands further back in its own deployment's line can be served in time, even alone.
    if (turns.lengthOf(deployment) >= Math.max(1, tokens.within(waitMs))) {
      noteTurnedAway(deployment);
      return Promise.resolve({ kind: 'unknown' });
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        send: () => {
          waiter.cancel();
          resolve(broker.getConnection(id));
        },
        giveUp: () => {
          turns.leave(deployment, waiter);
          noteTurnedAway(deployment);
          resolve({ kind: 'unknown' });
        },
        cancel: () => undefined,
      };
      turns.enter(deployment, waiter);
      pump();
      if (!turns.waits(deployment, waiter)) return;
      if (passes) waiter.giveUp();
      else waiter.cancel = schedule(waiter.giveUp, waitMs);
    });
  }

  function isPassing(deployment: string): boolean {
    const at = turnedAwayAt.get(deployment);
    if (at === undefined) return false;
    const agoMs = clock.now() - at;
    if (agoMs >= 0 && agoMs < passMs) return true;
    turnedAwayAt.delete(deployment);
    return false;
  }

  function noteTurnedAway(deployment: string): void {
    if (passMs > 0) turnedAwayAt.set(deployment, clock.now());
  }

  return {
    of: (kind) => ({
      getConnection: (id) => ask(kind, id),
      deleteConnection: (id, how) => broker.deleteConnection(id, how),
    }),
  };
}

/** One line for each deployment, served in turn. A map keeps the order in which the lines were last served. */
class Turns {
  private readonly lines = new Map<string, Waiter[]>();
  size = 0;

  enter(deployment: string, waiter: Waiter): void {
    const line = this.lines.get(deployment);
    if (line === undefined) this.lines.set(deployment, [waiter]);
    else line.push(waiter);
    this.size++;
  }

  next(): Waiter | undefined {
    const [first] = this.lines;
    if (first === undefined) return undefined;
    const [deployment, line] = first;
    const waiter = line.shift();
    this.lines.delete(deployment);
    if (line.length > 0) this.lines.set(deployment, line);
    this.size--;
    return waiter;
  }

  leave(deployment: string, waiter: Waiter): void {
    const line = this.lines.get(deployment) ?? [];
    const at = line.indexOf(waiter);
    if (at < 0) return;
    line.splice(at, 1);
    this.size--;
    if (line.length === 0) this.lines.delete(deployment);
  }

  waits(deployment: string, waiter: Waiter): boolean {
    return this.lines.get(deployment)?.includes(waiter) === true;
  }

  lengthOf(deployment: string): number {
    return this.lines.get(deployment)?.length ?? 0;
  }
}
