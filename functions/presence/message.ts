// What all messages of this product in the presence queue share: fields of a type, and names that are read strictly.

import {
  type Parsed,
  parseAttemptId,
  parseClientId,
  parseDeploymentId,
  parseUsername,
} from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Undefined: no object, or of no type. */
export function fieldsOf(body: unknown): (Fields & { readonly type: string }) | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const fields = body as Fields;
  return typeof fields.type === 'string' ? { ...fields, type: fields.type } : undefined;
}

/** What was parsed; throws where it was not, so that the message comes again and ends in the dead-letter queue. */
export function required<T>(parsed: Parsed<T>, what: string): T {
  if (parsed.ok) return parsed.value;
  throw new TypeError(`malformed ${what}: ${parsed.problem}`);
}

/** Whose attempt a message is about, and when. */
export function parseAttemptFields(
  fields: Fields,
  what: string,
): Pick<DoorReport, 'deploymentId' | 'username' | 'clientId' | 'attempt' | 'at'> {
  const { at } = fields;
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0)
    throw new TypeError(`malformed ${what}: at is a time in milliseconds`);
  const deploymentId = required(parseDeploymentId(fields.deploymentId), what);
  return {
    deploymentId,
    username: required(parseUsername(fields.username), what),
    clientId: required(parseClientId(deploymentId, fields.clientId), what),
    attempt: required(parseAttemptId(fields.attempt), what),
    at: ms(at),
  };
}
