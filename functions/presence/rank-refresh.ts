// A rank to be refreshed, as it comes out of the presence queue.

import { parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import type { RankRefresh } from '../../shared/ports/usage/ranks.ts';
import { fieldsOf, required } from './message.ts';

/** Undefined: something else. Throws where it says to be one and is not. */
export function parseRankRefresh(body: unknown): RankRefresh | undefined {
  const message = fieldsOf(body);
  if (message?.type !== 'rank.refresh') return undefined;
  const what = 'request to refresh a rank';
  return {
    type: 'rank.refresh',
    deploymentId: required(parseDeploymentId(message.deploymentId), what),
    username: required(parseUsername(message.username), what),
  };
}
