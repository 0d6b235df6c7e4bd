// What the messages of one client id that come in one batch know of its records. All of them have come before the first
// reading, so that a message which changes nothing needs no reading of its own. A use case that must
// be sure of something reads the store itself.

import type { ClientId, DeploymentId } from '../../domain/ids.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Owner } from '../../ports/admission/owners.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';

export interface Held {
  owner(deploymentId: DeploymentId, clientId: ClientId): Promise<Stored<Owner> | undefined>;
  session(names: Names): Promise<Stored<Session> | undefined>;
  /** The record as it stands now. `isComplete`: its place is where the record says. */
  note(names: Names, stored: Stored<Session> | undefined, isComplete: boolean): void;
  /** Whether a message that changes nothing leaves nothing to do, either. */
  isComplete(stored: Stored<Session>): boolean;
  /** The next message reads the record anew. */
  forget(names: Names): void;
  /** The same of everything. */
  forgetAll(): void;
}

interface Options {
  /** The owner and this username's record will both be asked for, so they are read in one request. */
  readonly both?: Names | undefined;
  /** A reading of the caller's. */
  readonly seen?: Stored<Session>;
}

export function createHeld(store: Pick<SessionStore, 'readSession' | 'readOwner'>, { both, seen }: Options = {}): Held {
  let owner: Promise<Stored<Owner> | undefined> | undefined;
  const sessions = new Map<string, Promise<Stored<Session> | undefined>>();
  let complete: Stored<Session> | undefined;
  if (seen !== undefined) sessions.set(seen.value.username, Promise.resolve(seen));

  function readOwner(deploymentId: DeploymentId, clientId: ClientId): Promise<Stored<Owner> | undefined> {
    owner ??= store.readOwner(deploymentId, clientId);
    return owner;
  }

  function readSession(names: Names): Promise<Stored<Session> | undefined> {
    const known = sessions.get(names.username) ?? store.readSession(names);
    sessions.set(names.username, known);
    return known;
  }

  async function readBoth({ deploymentId, clientId }: Pick<Names, 'deploymentId' | 'clientId'>): Promise<void> {
    if (both !== undefined) await Promise.all([readOwner(deploymentId, clientId), readSession(both)]);
  }

  return {
    async owner(deploymentId, clientId) {
      await readBoth({ deploymentId, clientId });
      return readOwner(deploymentId, clientId);
    },
    async session(names) {
      await readBoth(names);
      return readSession(names);
    },
    note({ username }, stored, isComplete) {
      sessions.set(username, Promise.resolve(stored));
      if (isComplete) complete = stored;
    },
    isComplete: (stored) => stored === complete,
    forget: ({ username }) => void sessions.delete(username),
    forgetAll() {
      owner = undefined;
      sessions.clear();
    },
  };
}
