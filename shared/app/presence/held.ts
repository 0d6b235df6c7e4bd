// What the messages of one client id that come in one batch know of its records. All of them have come before the first
// reading, so that a message which changes nothing needs no reading of its own. It must not stand for a reading that a use
// case makes to be sure of something.

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
  /** The owner will be asked for as well, so it is read with the first record, in one request. */
  readonly withOwner?: boolean;
  /** A reading of the caller's. */
  readonly seen?: Stored<Session>;
}

export function createHeld(
  store: Pick<SessionStore, 'readSession' | 'readOwner'>,
  { withOwner = false, seen }: Options = {},
): Held {
  let owner: Promise<Stored<Owner> | undefined> | undefined;
  const sessions = new Map<string, Stored<Session> | undefined>();
  let complete: Stored<Session> | undefined;
  if (seen !== undefined) sessions.set(seen.value.username, seen);
  const readOwner: Held['owner'] = (deploymentId, clientId) => {
    owner ??= store.readOwner(deploymentId, clientId);
    return owner;
  };
  return {
    owner: readOwner,
    async session(names) {
      if (sessions.has(names.username)) return sessions.get(names.username);
      const [stored] = await Promise.all([
        store.readSession(names),
        withOwner ? readOwner(names.deploymentId, names.clientId) : undefined,
      ]);
      sessions.set(names.username, stored);
      return stored;
    },
    note({ username }, stored, isComplete) {
      sessions.set(username, stored);
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
