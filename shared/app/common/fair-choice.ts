// Which of many sessions are worth one of few questions. Pure: the same pass chooses the same.

import type { DeploymentId } from '../../domain/ids.ts';

/** Multiples of it, less their whole part, lie evenly however many there are: so passes begin everywhere in turn. */
const goldenRatio = 0.618_033_988_749_894_9;

/**
 * Chooses at most `count`, always of the deployment that has had the fewest in this run, and adds them to `given`. Of a
 * deployment with more than its part each pass begins elsewhere.
 */
export function chooseFairly<T extends { readonly deploymentId: DeploymentId }>(
  items: readonly T[],
  count: number,
  given: Map<DeploymentId, number>,
  pass: number,
): readonly T[] {
  const lines = new Map<DeploymentId, T[]>();
  for (const item of items) lines.set(item.deploymentId, [...(lines.get(item.deploymentId) ?? []), item]);
  const turned = [...lines].map(([deploymentId, line]) => {
    const first = Math.floor(((pass * goldenRatio) % 1) * line.length);
    return { deploymentId, line: [...line.slice(first), ...line.slice(0, first)] };
  });
  const chosen: T[] = [];
  const had = (deploymentId: DeploymentId): number => given.get(deploymentId) ?? 0;
  while (chosen.length < count) {
    const waiting = turned.filter(({ line }) => line.length > 0);
    const poorest = waiting.sort((a, b) => had(a.deploymentId) - had(b.deploymentId))[0];
    const item = poorest?.line.shift();
    if (poorest === undefined || item === undefined) break;
    given.set(poorest.deploymentId, had(poorest.deploymentId) + 1);
    chosen.push(item);
  }
  return chosen;
}

/** All of them, one of each deployment in turn, each deployment's in their order. */
export function takeTurns<T>(items: readonly T[], deploymentOf: (item: T) => DeploymentId): readonly T[] {
  const seen = new Map<DeploymentId, number>();
  const turns = items.map((item) => {
    const turn = seen.get(deploymentOf(item)) ?? 0;
    seen.set(deploymentOf(item), turn + 1);
    return { item, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ item }) => item);
}
