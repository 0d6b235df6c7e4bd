// The typed client of the HTTP API (product contract, section 3). The console meets the product through it only; it
// works wherever there is `fetch`.

import { pathName } from './path-name.ts';
import { type ClientOptions, createSend, pageQuery } from './request.ts';
import type {
  AuditRecord,
  ChangedSessionLimit,
  Client,
  Credential,
  Deployment,
  DeploymentChange,
  ListedOperation,
  Operation,
  Override,
  OwnLimit,
  Page,
  PageRequest,
  Rejection,
  RejectionEntry,
  RejectionsOfHour,
  Session,
  SessionLimit,
  SessionLimitChange,
  SessionLimitInput,
  Started,
  TenantAuditRecord,
  Usage,
  UsageDetail,
  UsageQuery,
} from './types.ts';

type Signal = AbortSignal | undefined;

export function createClient(options: ClientOptions) {
  const send = createSend(options);
  const body = async <T>(call: Parameters<typeof send>[0]): Promise<T> => (await send<T>(call)).value;
  const list = '/deployments';
  const of = (deploymentId: string): string => `${list}/${encodeURIComponent(deploymentId)}`;

  return {
    listDeployments: (page: PageRequest, signal?: Signal) =>
      body<Page<Deployment>>({ method: 'GET', path: list, scope: 'settings:read', query: pageQuery(page), signal }),
    createDeployment: (name: string) =>
      body<Deployment>({ method: 'POST', path: list, scope: 'deployments:write', body: { name } }),
    getDeployment: (id: string, signal?: Signal) =>
      body<Deployment>({ method: 'GET', path: of(id), scope: 'settings:read', signal }),
    changeDeployment: (id: string, change: DeploymentChange) =>
      body<Deployment>({ method: 'PATCH', path: of(id), scope: 'deployments:write', body: change }),
    deleteDeployment: (id: string) => body<Started>({ method: 'DELETE', path: of(id), scope: 'deployments:write' }),

    listCredentials: (id: string, page: PageRequest, signal?: Signal) =>
      body<Page<Credential>>({
        method: 'GET',
        path: `${of(id)}/credentials`,
        scope: 'settings:read',
        query: pageQuery(page),
        signal,
      }),
    /** Without a password one is generated and answered, this once. */
    putCredential: (id: string, username: string, password: string | undefined) =>
      body<{ readonly password: string } | undefined>({
        method: 'PUT',
        path: `${of(id)}/credentials/${pathName(username)}`,
        scope: 'credentials:write',
        body: password === undefined ? {} : { password },
      }),
    deleteCredential: (id: string, username: string) =>
      body<void>({
        method: 'DELETE',
        path: `${of(id)}/credentials/${pathName(username)}`,
        scope: 'credentials:write',
      }),

    getSessionLimit: (id: string, signal?: Signal) =>
      send<SessionLimit>({ method: 'GET', path: `${of(id)}/session-limit`, scope: 'settings:read', signal }),
    /** Refused (412) where somebody else has configured it meanwhile. */
    configureSessionLimit: (id: string, input: SessionLimitInput) =>
      send<ChangedSessionLimit>({
        method: 'PUT',
        path: `${of(id)}/session-limit`,
        scope: 'settings:write',
        body: input,
        mustBeNew: true,
      }),
    changeSessionLimit: (id: string, change: SessionLimitChange, ifMatch: string | undefined) =>
      send<ChangedSessionLimit>({
        method: 'PATCH',
        path: `${of(id)}/session-limit`,
        scope: 'settings:write',
        body: change,
        ifMatch,
      }),
    deleteSessionLimit: (id: string, ifMatch: string | undefined) =>
      body<void>({ method: 'DELETE', path: `${of(id)}/session-limit`, scope: 'settings:write', ifMatch }),

    listOverrides: (id: string, page: PageRequest, signal?: Signal) =>
      body<Page<Override>>({
        method: 'GET',
        path: `${of(id)}/session-limit/overrides`,
        scope: 'settings:read',
        query: pageQuery(page),
        signal,
      }),
    getOverride: (id: string, username: string, signal?: Signal) =>
      send<Override>({
        method: 'GET',
        path: `${of(id)}/session-limit/overrides/${pathName(username)}`,
        scope: 'settings:read',
        signal,
      }),
    putOverride: (id: string, username: string, limit: OwnLimit, given: { ifMatch?: string; mustBeNew?: boolean }) =>
      body<void>({
        method: 'PUT',
        path: `${of(id)}/session-limit/overrides/${pathName(username)}`,
        scope: 'settings:write',
        body: { limit },
        ...given,
      }),
    deleteOverride: (id: string, username: string) =>
      body<void>({
        method: 'DELETE',
        path: `${of(id)}/session-limit/overrides/${pathName(username)}`,
        scope: 'settings:write',
      }),

    listUsage: ({ cursor, limit, ...filters }: UsageQuery & { readonly deploymentId: string }, signal?: Signal) => {
      const { deploymentId, ...query } = filters;
      return body<Page<Usage>>({
        method: 'GET',
        path: `${of(deploymentId)}/session-usage`,
        scope: 'usage:read',
        query: { ...query, ...pageQuery({ cursor, ...(limit === undefined ? {} : { limit }) }) },
        signal,
      });
    },
    getUsage: (id: string, username: string, signal?: Signal) =>
      body<UsageDetail>({
        method: 'GET',
        path: `${of(id)}/session-usage/${pathName(username)}`,
        scope: 'usage:read',
        signal,
      }),
    listSessions: (id: string, username: string, page: PageRequest, signal?: Signal) =>
      body<Page<Session>>({
        method: 'GET',
        path: `${of(id)}/session-usage/${pathName(username)}/sessions`,
        scope: 'usage:read',
        query: pageQuery(page),
        signal,
      }),
    kickUsername: (id: string, username: string) =>
      body<Started>({
        method: 'DELETE',
        path: `${of(id)}/session-usage/${pathName(username)}/sessions`,
        scope: 'sessions:kick',
      }),
    getClient: (id: string, clientId: string, signal?: Signal) =>
      body<Client>({ method: 'GET', path: `${of(id)}/clients/${pathName(clientId)}`, scope: 'usage:read', signal }),
    kickClient: (id: string, clientId: string) =>
      body<void>({ method: 'DELETE', path: `${of(id)}/clients/${pathName(clientId)}`, scope: 'sessions:kick' }),

    listRejections: (id: string, page: PageRequest, signal?: Signal) =>
      body<Page<Rejection>>({
        method: 'GET',
        path: `${of(id)}/rejections`,
        scope: 'usage:read',
        query: pageQuery(page),
        signal,
      }),
    listLastRejections: (id: string, username: string, signal?: Signal) =>
      body<Page<RejectionEntry>>({
        method: 'GET',
        path: `${of(id)}/session-usage/${pathName(username)}/rejections`,
        scope: 'usage:read',
        signal,
      }),
    listRejectionsByHour: (id: string, page: PageRequest, signal?: Signal) =>
      body<Page<RejectionsOfHour>>({
        method: 'GET',
        path: `${of(id)}/rejections`,
        scope: 'usage:read',
        query: { interval: 'hour', ...pageQuery(page) },
        signal,
      }),
    listAudit: (id: string, page: PageRequest, signal?: Signal) =>
      body<Page<AuditRecord>>({
        method: 'GET',
        path: `${of(id)}/audit`,
        scope: 'audit:read',
        query: pageQuery(page),
        signal,
      }),
    listTenantAudit: (page: PageRequest, signal?: Signal) =>
      body<Page<TenantAuditRecord>>({
        method: 'GET',
        path: '/audit',
        scope: 'audit:read',
        query: pageQuery(page),
        signal,
      }),
    /** With `sessions:kick` alone: kicks of this caller. */
    listOperations: (page: PageRequest, signal?: Signal) =>
      body<Page<ListedOperation>>({
        method: 'GET',
        path: '/operations',
        scope: 'usage:read',
        query: pageQuery(page),
        signal,
      }),
    getOperation: (operationId: string, signal?: Signal) =>
      body<Operation>({
        method: 'GET',
        path: `/operations/${encodeURIComponent(operationId)}`,
        scope: 'usage:read',
        signal,
      }),
  };
}

export type ApiClient = ReturnType<typeof createClient>;
