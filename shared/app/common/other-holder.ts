import type { Session } from '../../domain/session/record.ts';
import type { Owner } from '../../ports/admission/owners.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';

export interface OtherHolder {
  readonly owner: Stored<Owner> | undefined;
  /** Another username held the client id last. */
  readonly changed: boolean;
  /** What stands there of it: live, or a tombstone. */
  readonly record: Stored<Session> | undefined;
}

/** Who owns the client id, and what the owner has under it where that is another username. Consistent. */
export async function readOtherHolder(
  store: Pick<SessionStore, 'readOwner' | 'readSession'>,
  { deploymentId, clientId, username }: Names,
): Promise<OtherHolder> {
  const owner = await store.readOwner(deploymentId, clientId);
  const holder = owner?.value.username;
  if (holder === undefined || holder === username) return { owner, changed: false, record: undefined };
  return { owner, changed: true, record: await store.readSession({ deploymentId, clientId, username: holder }) };
}
