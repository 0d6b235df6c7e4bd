// Work of the API, bounded and shared by tenant (S24). A process that does many requests at once, as the local run does,
// must not be filled by one tenant. On Lambda a process does one request at a time: nothing here ever waits there, and the
// gateway's rate and the function's concurrency are the bounds (docs/scale.md).

import type { TenantId } from '../../shared/domain/ids.ts';

/** What a request costs: `heavy` is long work of ours, `outside` waits for a machine that is not ours. */
export type Weight = 'ordinary' | 'heavy' | 'outside';

interface Bounds {
  /** Requests in progress, of all tenants. */
  readonly atOnce: number;
  /** Requests in progress, of one tenant. */
  readonly ofTenant: number;
  /** Requests of one tenant that are in progress, wait for their turn, or still send their body. */
  readonly present: number;
  /** Told to a request beyond them. */
  readonly retryAfterSeconds: number;
}

export const shareBounds: Readonly<Record<Weight, Bounds>> = {
  ordinary: { atOnce: 32, ofTenant: 8, present: 64, retryAfterSeconds: 1 },
  heavy: { atOnce: 2, ofTenant: 1, present: 8, retryAfterSeconds: 5 },
  outside: { atOnce: 16, ofTenant: 2, present: 8, retryAfterSeconds: 5 },
};

/** One request's part. */
export interface Part {
  /** Begins `work` when its turn comes. Undefined where the client has left while it waited: nothing was done. */
  inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined>;
  /** To be called once, at the end. */
  leave(): void;
}

interface Tenant {
  present: number;
  going: number;
  readonly waiting: Set<() => void>;
}

/** `enter` answers undefined where the tenant has as many requests present as it may. Tenants that wait take turns. */
export function createShare(bounds: Bounds): { enter(tenantId: TenantId): Part | undefined } {
  /** Those that have a request present; the one served last is at the end. */
  const tenants = new Map<TenantId, Tenant>();
  let going = 0;

  /** Of those that wait the one with the fewest in progress, and of those the one served longest ago. */
  function beginNext(): void {
    if (going >= bounds.atOnce) return;
    const waiting = [...tenants].filter(([, one]) => one.waiting.size > 0 && one.going < bounds.ofTenant);
    const [next] = waiting.sort(([, a], [, b]) => a.going - b.going);
    if (next === undefined) return;
    const [tenantId, tenant] = next;
    const [begin] = tenant.waiting;
    if (begin === undefined) return;
    tenant.waiting.delete(begin);
    tenants.delete(tenantId);
    tenants.set(tenantId, tenant);
    going += 1;
    tenant.going += 1;
    begin();
  }

  /** True when the turn has come, false when the client has left. */
  function turnOf(tenant: Tenant, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const left = (): void => {
        tenant.waiting.delete(begin);
        resolve(false);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', left);
        resolve(true);
      };
      signal.addEventListener('abort', left, { once: true });
      tenant.waiting.add(begin);
      beginNext();
    });
  }

  return {
    enter(tenantId) {
      const tenant = tenants.get(tenantId) ?? { present: 0, going: 0, waiting: new Set() };
      if (tenant.present >= bounds.present) return undefined;
      tenant.present += 1;
      tenants.set(tenantId, tenant);
      return {
        async inTurn(work, signal) {
          if (!(await turnOf(tenant, signal))) return undefined;
          try {
            return await work();
          } finally {
            going -= 1;
            tenant.going -= 1;
            beginNext();
          }
        },
        leave() {
          tenant.present -= 1;
          if (tenant.present === 0) tenants.delete(tenantId);
        },
      };
    },
  };
}
