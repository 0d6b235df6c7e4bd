// A rank to be refreshed, as it comes out of the presence queue.

import { parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import type { RankRefresh } from '../../shared/ports/ranks.ts';

/** Undefined: something else. Throws where it says to be one and is not. */
export function parseRankRefresh(body: unknown): RankRefresh | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const message = body as Readonly<Record<string, unknown>>;
  if (message.type !== 'rank.refresh') return undefined;
  const deploymentId = parseDeploymentId(String(message.deploymentId));
  const username = parseUsername(String(message.username));
  if (!deploymentId.ok || !username.ok) throw new TypeError('malformed request to refresh a rank');
  return { type: 'rank.refresh', deploymentId: deploymentId.value, username: username.value };
}
