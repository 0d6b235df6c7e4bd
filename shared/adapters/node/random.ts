import { randomBytes, randomUUID } from 'node:crypto';
import type { AttemptId, OperationId, Place } from '../../domain/ids.ts';
import type { Random } from '../../ports/common/random.ts';

export const cryptoRandom: Random = {
  attemptId: () => randomBytes(16).toString('base64url') as AttemptId,
  place: () => randomBytes(8).toString('base64url') as Place,
  revision: () => randomBytes(6).toString('base64url'),
};

export function newOperationId(): OperationId {
  return randomUUID() as OperationId;
}
