// Newcomers of a username that a process decides about at the same moment, counted in one write. While one write of a
// username is under way, those that come wait for it, and go together. All of them are counted, or none: then each tries by
// itself. It exists because a crowd that shares a username would otherwise write one item once for each of its sessions.

import type { DeploymentId, Place, Username } from '../../../domain/ids.ts';
import type { Ms } from '../../../domain/time.ts';
import type { AddOutcome } from '../../../ports/counter/counter.ts';

/** Newcomers of one write. Its condition names each of them, and is at most 4 KB. */
const newcomersAtOnce = 32;

export interface NewPlace {
  readonly place: Place;
  readonly dueAt: Ms;
}

/** Counts all of them in one write; undefined where it was refused. `max`: of the username. */
export type AddTogether = (
  id: DeploymentId,
  username: Username,
  places: readonly NewPlace[],
  max: number,
) => Promise<AddOutcome | undefined>;

type AddAlone = () => Promise<AddOutcome>;

interface Waiting extends NewPlace {
  readonly max: number;
  readonly alone: AddAlone;
  readonly settle: (outcome: Promise<AddOutcome>) => void;
}

export type AddInCrowd = (
  id: DeploymentId,
  username: Username,
  newcomer: NewPlace & { readonly max: number },
  alone: AddAlone,
) => Promise<AddOutcome>;

export function createCrowds(addTogether: AddTogether): AddInCrowd {
  /** Those that wait for the write of their username. */
  const crowds = new Map<string, Waiting[]>();

  function settleAlone(waiting: readonly Waiting[]): void {
    for (const { alone, settle } of waiting) settle(alone());
  }

  async function serve(id: DeploymentId, username: Username, name: string): Promise<void> {
    for (let crowd = crowds.get(name) ?? []; crowd.length > 0; crowd = crowds.get(name) ?? []) {
      const [first] = crowd;
      const together = distinct(crowd.filter(({ max }) => max === first?.max)).slice(0, newcomersAtOnce);
      crowds.set(
        name,
        crowd.filter((one) => !together.includes(one)),
      );
      const outcome = await tryTogether(id, username, together);
      if (outcome === undefined) settleAlone(together);
      else for (const { settle } of together) settle(Promise.resolve(outcome));
    }
    crowds.delete(name);
  }

  /** Whoever cannot be counted with the others learns why by itself. */
  async function tryTogether(
    id: DeploymentId,
    username: Username,
    together: readonly Waiting[],
  ): Promise<AddOutcome | undefined> {
    const [first] = together;
    if (first === undefined || together.length < 2) return undefined;
    return addTogether(id, username, together, first.max).catch(() => undefined);
  }

  return async (id, username, { place, dueAt, max }, alone) => {
    const name = `${id}\n${username}`;
    const crowd = crowds.get(name);
    if (crowd !== undefined)
      return new Promise((resolve) => crowdOf(name).push({ place, dueAt, max, alone, settle: resolve }));
    crowds.set(name, []);
    try {
      return await alone();
    } finally {
      void serve(id, username, name);
    }
  };

  function crowdOf(name: string): Waiting[] {
    const crowd = crowds.get(name) ?? [];
    crowds.set(name, crowd);
    return crowd;
  }
}

/** A CONNECT that was given up may wait here still when its client is back with the same place: each counts once. */
function distinct(waiting: readonly Waiting[]): readonly Waiting[] {
  return waiting.filter(({ place }, n) => waiting.findIndex((other) => other.place === place) === n);
}
