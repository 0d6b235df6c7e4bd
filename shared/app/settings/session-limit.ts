// Settings: what a tenant asks of its deployment, the session limit with its whitelist and overrides. They are read for
// every CONNECT and written by the API, with a version and an audit record for each change. This folder must not know
// how sessions are counted: a change moves no count, and ends no session by itself.
//
// This file changes a session limit and its overrides, on the version that the caller saw.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import type { Override } from '../../domain/limit.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Log } from '../../ports/common/log.ts';
import type {
  Change,
  DeploymentStore,
  LimitStore,
  Missing,
  Stale,
  StoredOverride,
  StoredSessionLimit,
  WriteOutcome,
} from '../../ports/settings/settings.ts';
import type { UsageReader } from '../../ports/usage/usage.ts';
import { allows, type Caller, noVersion } from './expected.ts';
import type { SessionLimitInput } from './session-limit-input.ts';

export interface SessionLimitPorts {
  readonly settings: Pick<DeploymentStore, 'getDeployment'> & LimitStore;
  readonly usage: Pick<UsageReader, 'countOverLimit'>;
  readonly clock: Clock;
  readonly log: Log;
}

export type ChangedLimit =
  | {
      readonly kind: 'done';
      readonly created: boolean;
      readonly limit: StoredSessionLimit;
      /** How many usernames hold more than their limit now (S14); undefined where it could not be counted in time. */
      readonly usernamesOverLimit: number | undefined;
    }
  | Missing
  | Stale;

/** Rounds of "somebody wrote first, look again" before the answer is unavailable. */
const maxRounds = 8;

const keptChanging = () => new StoreUnavailable('other changes kept coming first');

/**
 * Turns what the caller expects into the one version that the store compares. A write that then meets another one
 * looks again: what the caller allowed may still hold.
 */
export async function expecting<T extends { readonly kind: string }>(
  ports: Pick<SessionLimitPorts, 'clock'>,
  caller: Caller,
  readVersion: () => Promise<number | undefined>,
  write: (change: Change) => Promise<T | Stale>,
): Promise<T | Stale> {
  const { actor, tenantId, expected } = caller;
  const by = { actor, tenantId, at: ports.clock.now() };
  if (expected === undefined) return write(by);
  if (expected.match === undefined && expected.noneMatch === 'any') return write({ ...by, expectedVersion: 'none' });
  for (let round = 0; round < maxRounds; round += 1) {
    const version = await readVersion();
    if (!allows(expected, version)) return write({ ...by, expectedVersion: noVersion });
    const outcome = await write({ ...by, expectedVersion: version ?? 'none' });
    if (outcome.kind !== 'stale') return outcome;
  }
  throw keptChanging();
}

/** The change is made, whatever the count says; a caller who got an error here would think it was not. */
async function countOverLimit(ports: SessionLimitPorts, id: DeploymentId): Promise<number | undefined> {
  try {
    return await ports.usage.countOverLimit(id);
  } catch (error) {
    ports.log.warn('usernames over the limit could not be counted', { deploymentId: id, error: String(error) });
    return undefined;
  }
}

async function answer(
  ports: SessionLimitPorts,
  id: DeploymentId,
  outcome: WriteOutcome<StoredSessionLimit>,
): Promise<ChangedLimit> {
  if (outcome.kind !== 'done') return outcome;
  const { created, value } = outcome;
  return { kind: 'done', created, limit: value, usernamesOverLimit: await countOverLimit(ports, id) };
}

async function limitVersion(ports: SessionLimitPorts, id: DeploymentId): Promise<number | undefined> {
  return (await ports.settings.getSessionLimit(id))?.version;
}

/** Configures it, or replaces the whole. */
export async function configureSessionLimit(
  ports: SessionLimitPorts,
  id: DeploymentId,
  input: SessionLimitInput,
  caller: Caller,
): Promise<ChangedLimit> {
  const write = (change: Change) => ports.settings.putSessionLimit(id, input, change);
  return answer(ports, id, await expecting(ports, caller, () => limitVersion(ports, id), write));
}

/**
 * Changes some of it. What is not named must be what it was when the change is written, so a change that comes in
 * between is never undone: this one starts again from it.
 */
export async function changeSessionLimit(
  ports: SessionLimitPorts,
  id: DeploymentId,
  input: Partial<SessionLimitInput>,
  { actor, tenantId, expected }: Caller,
): Promise<ChangedLimit> {
  for (let round = 0; round < maxRounds; round += 1) {
    const current = await ports.settings.getSessionLimit(id);
    if (current === undefined) return { kind: 'missing', what: 'session_limit' };
    if (!allows(expected, current.version)) return { kind: 'stale', version: current.version };
    const change = { actor, tenantId, at: ports.clock.now(), expectedVersion: current.version };
    const outcome = await ports.settings.putSessionLimit(id, { ...current, ...input }, change);
    if (outcome.kind !== 'stale') return answer(ports, id, outcome);
  }
  throw keptChanging();
}

export async function deleteSessionLimit(
  ports: SessionLimitPorts,
  id: DeploymentId,
  caller: Caller,
): Promise<WriteOutcome<undefined>> {
  return expecting(
    ports,
    caller,
    () => limitVersion(ports, id),
    (change) => ports.settings.deleteSessionLimit(id, change),
  );
}

async function overrideVersion(
  ports: SessionLimitPorts,
  id: DeploymentId,
  username: Username,
): Promise<number | undefined> {
  const found = await ports.settings.getOverride(id, username);
  return found.kind === 'found' ? found.value.version : undefined;
}

export async function putOverride(
  ports: SessionLimitPorts,
  id: DeploymentId,
  username: Username,
  override: Override,
  caller: Caller,
): Promise<WriteOutcome<StoredOverride> | { readonly kind: 'full' }> {
  return expecting(
    ports,
    caller,
    () => overrideVersion(ports, id, username),
    (change) => ports.settings.putOverride(id, username, override, change),
  );
}

export async function deleteOverride(
  ports: SessionLimitPorts,
  id: DeploymentId,
  username: Username,
  caller: Caller,
): Promise<WriteOutcome<undefined>> {
  return expecting(
    ports,
    caller,
    () => overrideVersion(ports, id, username),
    (change) => ports.settings.deleteOverride(id, username, change),
  );
}
