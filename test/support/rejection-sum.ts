import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { RecordedReason } from '../../shared/domain/refusal.ts';
import { ms } from '../../shared/domain/time.ts';
import type { RejectionSum } from '../../shared/ports/rejections/rejections.ts';

let sums = 0;

/** What a process writes after it has rejected a username `count` times at one moment. */
export function rejectionSum(given: {
  readonly deploymentId: string;
  readonly username: string;
  readonly at: number;
  readonly count?: number;
  readonly clientId?: string;
  readonly reason?: RecordedReason;
}): RejectionSum {
  const { count = 1, clientId = `${given.username}-client`, reason = 'quota' } = given;
  const at = ms(given.at);
  sums += 1;
  return {
    deploymentId: given.deploymentId as DeploymentId,
    username: given.username as Username,
    sumId: `sum-${sums}`,
    reasons: [{ reason, count, lastAt: at, clientId }],
    hours: reason === 'quota' ? [{ hour: ms(at - (at % 3_600_000)), count }] : [],
    last: [{ at, clientId, reason }],
  };
}
