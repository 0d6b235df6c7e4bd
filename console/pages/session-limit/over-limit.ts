import type { ChangedSessionLimit } from '../../client/types.ts';

/** What a change means for those who are over the limit now (S14). */
export function describeOver({ usernamesOverLimit: over }: ChangedSessionLimit): string {
  if (over === null) return 'How many usernames are over it could not be counted in time.';
  if (over === 0) return '';
  const who = over === 1 ? '1 username holds' : `${over.toLocaleString()} usernames hold`;
  return `${who} more sessions than allowed. Nobody was disconnected; new sessions are rejected until they are below.`;
}
