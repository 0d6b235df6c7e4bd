// How many tasks of the front door a release replaces at a time.

/**
 * ECS's `maximumPercent` for a service of so many tasks: a tenth more than those, one at least. ECS rounds the product
 * down, and replaces nothing where it is not one task more than there are.
 */
export function decideMaximumPercent(tasks: number): number {
  return 100 + Math.max(10, Math.ceil(100 / Math.max(1, tasks)));
}
