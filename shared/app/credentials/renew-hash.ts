// Digests under an older key are replaced off the connect path: a process that has seen the right password makes the new
// digest beside the admission, and the consumer of the presence queue stores it. No CONNECT waits for either. A process
// that ends or is frozen in between loses a message; the next login with that password sends another.

import type { DeploymentId } from '../../domain/ids.ts';
import type { Log } from '../../ports/common/log.ts';
import type { Credential, PasswordCheck } from '../../ports/credentials/credentials.ts';
import type { PresenceQueue } from '../../ports/presence/presence.ts';

export interface RenewPorts {
  readonly passwords: PasswordCheck;
  readonly queue: PresenceQueue;
  readonly log: Log;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** For a password that was right. Never throws. */
export async function renewHash(
  { passwords, queue, log }: RenewPorts,
  deploymentId: DeploymentId,
  credential: Credential,
  password: Uint8Array,
): Promise<void> {
  try {
    const made = await passwords.renew(credential, password);
    if (made === undefined) return;
    const { salt, digest, ...rest } = made;
    const message = { type: 'password.renewed', deploymentId, username: credential.username } as const;
    const bytes = { seen: base64(credential.hash.digest), salt: base64(salt), digest: base64(digest) };
    await queue.put({ ...message, ...bytes, ...rest });
  } catch (error) {
    log.warn('a password stays under its older key until its next login', { error: String(error) });
  }
}
