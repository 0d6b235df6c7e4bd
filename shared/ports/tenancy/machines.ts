import type { TenantId } from '../../domain/ids.ts';

/** Whose a machine is: the tenant of an app client of the sign-in. */
export interface MachineTenants {
  /** Consistent; undefined for an app client that the operator gave to nobody. Throws StoreUnavailable. */
  tenantOf(clientId: string): Promise<TenantId | undefined>;
}
