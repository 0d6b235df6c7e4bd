// Makes the changes of one file. All that can be found out beforehand is found out for every file before the first change.

import type { Installation, Target } from './installation.ts';
import type { Change, Found, Step } from './plan.ts';
import { Refused } from './requests.ts';
import { sideBySide } from './side-by-side.ts';

export interface Work {
  readonly found: Found;
  readonly steps: readonly Step[];
}

/** ETags of the overrides that are about to be written over, by username. */
export type Versions = ReadonlyMap<string, string>;

/** A tenant has eight requests in progress at most. Writes of overrides of one deployment meet on one item. */
const readsAtOnce = 8;
const writesAtOnce = 4;

/**
 * Invariant: nothing is overwritten that differs from what the plan shows.
 * Race: an override that has changed since the list is found here; one that changes later fails its own `If-Match`.
 * On crash: nothing has been written yet.
 */
export async function prepare(installation: Installation, { found, steps }: Work): Promise<Versions> {
  const versions = new Map<string, string>();
  const scopes = installation.scopes();
  const missing = scopesFor(steps).filter((scope) => scopes !== undefined && !scopes.has(scope));
  if (missing.length > 0) throw new Refused(`the token lacks the scope ${missing.join(' and ')}`);
  const id = found.deployment?.deploymentId;
  if (id === undefined) return versions;
  await sideBySide(steps, readsAtOnce, async ({ change }) => {
    if (change.kind === 'delete limit') await installation.confirmOverrides(id, change.overrides);
    if ((change.kind === 'put override' || change.kind === 'delete override') && change.before !== undefined)
      versions.set(change.username, await installation.versionOf(id, change.username, change.before));
  });
  return versions;
}

export function scopesFor(steps: readonly Step[]): readonly string[] {
  return [...new Set(steps.map(({ change }) => scopeOf(change)))];
}

function scopeOf({ kind }: Change): string {
  return kind === 'create deployment' || kind === 'change deployment' ? 'deployments:write' : 'settings:write';
}

/** Answers the id of the deployment. A refusal says which change it was, and how many were made before. */
export async function carryOut(
  installation: Installation,
  { found, steps }: Work,
  versions: Versions,
): Promise<string> {
  let target: Target | undefined = found.deployment;
  let made = 0;
  const one = async ({ change, shown }: Step): Promise<void> => {
    try {
      if (change.kind === 'create deployment') target = await installation.create(change.name);
      else if (target === undefined) throw new Error('there is no deployment to change');
      else await installation.make(change, target, 'username' in change ? versions.get(change.username) : undefined);
      made += 1;
    } catch (error) {
      throw new Refused(`${shown.split('\n', 1)[0]}\n  ${sentenceOf(error)}`, { cause: error });
    }
  };
  /** A setting that only the API can judge, as `mqttHost`, leaves no deployment behind that is as nobody wants it. */
  const takeBack = async (error: unknown): Promise<never> => {
    if (found.deployment !== undefined || target === undefined) throw error;
    const { deploymentId } = target;
    const fate = await installation.remove(target).then(
      () => 'was removed again',
      (failure: unknown) => `is still there: ${sentenceOf(failure)}`,
    );
    throw new Refused(`${sentenceOf(error)}\n  the new deployment ${deploymentId} ${fate}`);
  };
  const of = (...kinds: readonly Change['kind'][]) => steps.filter(({ change }) => kinds.includes(change.kind));
  try {
    for (const step of of('create deployment')) await one(step);
    for (const step of of('change deployment')) await one(step).catch((error: unknown) => takeBack(error));
    for (const step of of('create limit', 'change limit', 'delete limit')) await one(step);
    await sideBySide(of('delete override'), writesAtOnce, one);
    await sideBySide(of('put override'), writesAtOnce, one);
  } catch (error) {
    throw new Refused(
      `${sentenceOf(error)}\n  ${made} of ${steps.length} changes were made: a further run goes on from there`,
    );
  }
  return target?.deploymentId ?? '';
}

export function sentenceOf(error: unknown): string {
  if (error instanceof Refused) return error.message;
  return String(error instanceof Error ? (error.cause ?? error) : error);
}
