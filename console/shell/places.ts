// Every place of the console has an address: each page, tab, popup and client. This is the only file that knows how
// addresses are written.

import { parsePathName, pathName } from '../client/path-name.ts';

export type LimitTab = 'usage' | 'settings' | 'overrides';

export type DeploymentPlace =
  | { readonly page: 'overview' }
  | { readonly page: 'connect' }
  | { readonly page: 'mqtt-users' }
  /** `clientsOf`: the popup with the clients of this username is open. */
  | { readonly page: 'session-limit'; readonly tab: LimitTab; readonly clientsOf?: string }
  | { readonly page: 'clients'; readonly clientId?: string }
  | { readonly page: 'rejections' }
  | { readonly page: 'audit' };

/** Of the tenant, over all its deployments. */
export type TenantPlace = { readonly page: 'deployments' | 'operations' | 'tenant-audit' };

export type Place = TenantPlace | { readonly page: 'not-found' } | InsidePlace;

export type InsidePlace = DeploymentPlace & { readonly deploymentId: string };

const notFound: Place = { page: 'not-found' };
/** The first segment of each. */
const tenantPages: Readonly<Record<string, TenantPlace['page']>> = {
  deployments: 'deployments',
  operations: 'operations',
  audit: 'tenant-audit',
};
const tabs: readonly LimitTab[] = ['usage', 'settings', 'overrides'];

function segmentsOf(place: DeploymentPlace): readonly string[] {
  switch (place.page) {
    case 'overview':
      return [];
    case 'session-limit':
      return ['session-limit', place.tab, ...(place.clientsOf === undefined ? [] : [pathName(place.clientsOf)])];
    case 'clients':
      return ['monitor', 'clients', ...(place.clientId === undefined ? [] : [pathName(place.clientId)])];
    case 'rejections':
      return ['monitor', 'rejections'];
    case 'connect':
    case 'mqtt-users':
    case 'audit':
      return [place.page];
  }
}

/** Whether it is a place of one deployment. */
export function isInside(place: Place): place is InsidePlace {
  return 'deploymentId' in place;
}

export function addressOf(place: Place): string {
  if (!isInside(place)) {
    const named = Object.entries(tenantPages).find(([, page]) => page === place.page);
    return `/${named?.[0] ?? 'deployments'}`;
  }
  return ['/deployments', encodeURIComponent(place.deploymentId), ...segmentsOf(place)].join('/');
}

function parseDeploymentPlace([head, second, third, ...rest]: readonly string[]): DeploymentPlace | undefined {
  if (rest.length > 0) return undefined;
  const name = third === undefined ? undefined : parsePathName(third);
  if (third !== undefined && name === undefined) return undefined;
  switch (head) {
    case undefined:
      return { page: 'overview' };
    case 'connect':
    case 'mqtt-users':
    case 'audit':
      return second === undefined ? { page: head } : undefined;
    case 'session-limit': {
      const tab = second === undefined ? 'usage' : tabs.find((one) => one === second);
      if (tab === undefined || (name !== undefined && tab !== 'usage')) return undefined;
      return { page: 'session-limit', tab, ...(name === undefined ? {} : { clientsOf: name }) };
    }
    case 'monitor':
      if (second === 'clients') return { page: 'clients', ...(name === undefined ? {} : { clientId: name }) };
      return second === 'rejections' && name === undefined ? { page: 'rejections' } : undefined;
    default:
      return undefined;
  }
}

export function parsePlace(pathname: string): Place {
  const [root, rawId, ...rest] = pathname.split('/').filter((part) => part !== '');
  if (root === undefined) return { page: 'deployments' };
  const page = Object.hasOwn(tenantPages, root) ? tenantPages[root] : undefined;
  if (page === undefined) return notFound;
  if (rawId === undefined) return { page };
  if (page !== 'deployments') return notFound;
  const place = parseDeploymentPlace(rest);
  return place === undefined ? notFound : { ...place, deploymentId: rawId };
}
