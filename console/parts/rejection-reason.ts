import type { RejectionEntry } from '../client/types.ts';

/** Why a client was rejected, in words. */
export const reasonWords: Readonly<Record<RejectionEntry['reason'], string>> = {
  quota: 'Session limit reached',
  blocked: 'Username blocked',
  suspended: 'Deployment suspended',
  client_id_invalid: 'Client ID not valid',
  client_id_taken: 'Client ID in use by another username',
};
