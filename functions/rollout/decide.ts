// Before each release of the front door: how many of its tasks may be replaced at a time, from how many there are now.
// Autoscaling changes their number between two releases, so nothing that is written when the template is made can say it.

import { setTimeout as pause } from 'node:timers/promises';
import {
  CustomResourceRefusal,
  type CustomResourceRequest,
  type CustomResourceResult,
} from '../../shared/adapters/aws/custom-resource.ts';
import { decideMaximumPercent } from './maximum-percent.ts';

export interface RolloutPorts {
  /** Undefined where there is no service yet. Throws where it cannot be learnt. */
  readonly desiredCount: (cluster: string) => Promise<number | undefined>;
  /** A role that was made a moment ago may not hold its rights yet. */
  readonly retryMs: number;
  readonly tries: number;
}

/**
 * Fails the release where ECS does not answer. Any number instead would be a guess: one for few tasks has half of a large
 * fleet come back at once, and one for many tasks lets ECS replace none of a few until CloudFormation gives up after 3 h.
 * The release needs ECS in any case, and a release that fails here has not touched the service.
 */
export async function decideRollout(
  { desiredCount, retryMs, tries }: RolloutPorts,
  { properties }: CustomResourceRequest,
): Promise<CustomResourceResult> {
  const { Cluster: cluster, MinTasks } = properties;
  const minTasks = Number(MinTasks);
  if (typeof cluster !== 'string' || !Number.isInteger(minTasks) || minTasks < 1)
    throw new CustomResourceRefusal('Cluster and MinTasks must be given.');
  for (let left = tries; ; left -= 1) {
    try {
      const tasks = (await desiredCount(cluster)) ?? minTasks;
      return { data: { MaximumPercent: String(decideMaximumPercent(tasks)) } };
    } catch (error) {
      if (left > 1) await pause(retryMs);
      else
        throw new CustomResourceRefusal(
          `ECS does not tell how many tasks of the front door there are, so none of them was replaced (${error instanceof Error ? error.message : 'unknown error'}). Deploy again when ECS answers.`,
        );
    }
  }
}
