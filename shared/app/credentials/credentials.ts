// MQTT users of a deployment, as a caller of the API sets them.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { CredentialStore, PasswordMaker } from '../../ports/credentials/credentials.ts';
import { type Check, type Checked, checkFields, faulty, fine } from '../common/fault.ts';
import type { Caller } from '../settings/expected.ts';

export interface CredentialPorts {
  readonly credentials: CredentialStore;
  readonly passwords: PasswordMaker;
  readonly clock: Clock;
}

export interface CredentialInput {
  /** Undefined: one is to be generated. */
  readonly password: string | undefined;
}

/** Far above what anybody types, far below what MQTT carries (65,535). */
const passwordMaxBytes = 1_024;

const checkPassword: Check<string> = (raw, name) => {
  if (typeof raw !== 'string') return faulty(name, 'must be a string');
  if (!raw.isWellFormed()) return faulty(name, 'must be well-formed Unicode');
  const bytes = Buffer.byteLength(raw);
  return bytes >= 1 && bytes <= passwordMaxBytes
    ? fine(raw)
    : faulty(name, `must be 1 to ${passwordMaxBytes} bytes of UTF-8`);
};

export function parseCredential(raw: unknown): Checked<CredentialInput> {
  const given = checkFields<{ password: string }>(raw, { password: checkPassword });
  return given.ok ? fine({ password: given.value.password }) : given;
}

export type CredentialOutcome =
  | { readonly kind: 'set' }
  /** To be shown once; only its hash is kept. */
  | { readonly kind: 'generated'; readonly password: string }
  | { readonly kind: 'full' }
  | { readonly kind: 'overloaded' };

export async function putCredential(
  ports: CredentialPorts,
  id: DeploymentId,
  username: Username,
  input: CredentialInput,
  { actor, tenantId }: Pick<Caller, 'actor' | 'tenantId'>,
): Promise<CredentialOutcome> {
  const createdAt = ports.clock.now();
  const change = { actor, tenantId, at: createdAt };
  const password = input.password ?? ports.passwords.generate();
  const hash = await ports.passwords.hash(password, id);
  if (hash === 'overloaded') return { kind: 'overloaded' };
  const put = await ports.credentials.putCredential(id, { username, hash, createdAt }, change);
  if (put === 'full') return { kind: 'full' };
  return input.password === undefined ? { kind: 'generated', password } : { kind: 'set' };
}
