import type { TenantId } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';

export interface Tenant {
  readonly tenantId: TenantId;
  readonly createdAt: Ms;
}

/** The customers of the installation. They are never removed. Throws StoreUnavailable where the database does not answer. */
export interface TenantStore {
  createTenant(tenant: Tenant): Promise<'created' | 'exists'>;
  getTenant(id: TenantId): Promise<Tenant | undefined>;
  /** In order of id, after `after`, at most `limit`. */
  listTenants(page: { readonly limit: number; readonly after?: TenantId }): Promise<readonly Tenant[]>;
}
