// The shapes of the API, taken from its own schemas. Types only: no code of the API comes into the console.

import type { z } from 'zod';
import type {
  acceptedSchema,
  changedSessionLimitSchema,
  clientSchema,
  credentialSchema,
  deploymentSchema,
  listedOperationSchema,
  operationSchema,
  overrideSchema,
  problemSchema,
  sessionLimitChangeSchema,
  sessionLimitInputSchema,
  sessionLimitSchema,
  sessionSchema,
  usageDetailSchema,
  usageSchema,
} from '../../functions/api/schemas.ts';
import type {
  auditRecordSchema,
  deploymentChangeSchema,
  rejectionEntrySchema,
  rejectionHourSchema,
  rejectionSchema,
  tenantAuditRecordSchema,
} from '../../functions/api/schemas-tenancy.ts';

export type Fault = NonNullable<z.infer<typeof problemSchema>['errors']>[number];
export type Deployment = z.infer<typeof deploymentSchema>;
export type SessionLimit = z.infer<typeof sessionLimitSchema>;
export type SessionLimitInput = z.input<typeof sessionLimitInputSchema>;
export type SessionLimitChange = z.input<typeof sessionLimitChangeSchema>;
export type ChangedSessionLimit = z.infer<typeof changedSessionLimitSchema>;
export type Override = z.infer<typeof overrideSchema>;
export type OwnLimit = Override['limit'];
export type Credential = z.infer<typeof credentialSchema>;
export type Usage = z.infer<typeof usageSchema>;
export type UsageDetail = z.infer<typeof usageDetailSchema>;
export type Session = z.infer<typeof sessionSchema>;
export type Client = z.infer<typeof clientSchema>;
export type Rejection = z.infer<typeof rejectionSchema>;
export type RejectionEntry = z.infer<typeof rejectionEntrySchema>;
export type RejectionsOfHour = z.infer<typeof rejectionHourSchema>;
export type AuditRecord = z.infer<typeof auditRecordSchema>;
export type TenantAuditRecord = z.infer<typeof tenantAuditRecordSchema>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string | undefined;
}

export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

/** What a settings read answers beside its body: sent back as `If-Match`, it refuses a stale write. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string | undefined;
}

export type UsageQuery = PageRequest & { readonly order?: 'asc' | 'desc' } & (
    | { readonly sort: 'username'; readonly prefix?: string }
    | { readonly sort: 'used'; readonly minUsed?: number }
  );

export const scopes = [
  'tenants:admin',
  'settings:read',
  'settings:write',
  'deployments:write',
  'credentials:write',
  'usage:read',
  'sessions:kick',
  'audit:read',
] as const;

export type Scope = (typeof scopes)[number];

export type DeploymentChange = z.input<typeof deploymentChangeSchema>;

/** What a 202 answers: the work goes on, and can be asked after. */
export type Started = z.infer<typeof acceptedSchema>;
export type Operation = z.infer<typeof operationSchema>;
export type ListedOperation = z.infer<typeof listedOperationSchema>;
