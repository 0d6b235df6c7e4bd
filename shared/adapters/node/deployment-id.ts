import { randomBytes } from 'node:crypto';
import type { DeploymentId } from '../../domain/ids.ts';

const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * 60 random bits in 12 characters, none of them easily taken for another. Short, because the id stands before every
 * client id, of 128 bytes in all.
 */
export function newDeploymentId(): DeploymentId {
  return [...randomBytes(12)].map((byte) => alphabet[byte % alphabet.length]).join('') as DeploymentId;
}
