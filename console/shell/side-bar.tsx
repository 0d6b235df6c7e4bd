import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import type { Scope } from '../client/types.ts';
import { useSession } from '../session/use-session.ts';
import { follow } from './location.ts';
import { addressOf, type DeploymentPlace, type InsidePlace, isInside, type TenantPlace } from './places.ts';

type Known = TenantPlace | InsidePlace;

/** What the side bar shows as current for a place: it has one entry for all tabs and all clients. */
function entryOf(place: Known): Known {
  switch (place.page) {
    case 'session-limit':
      return { page: 'session-limit', tab: 'usage', deploymentId: place.deploymentId };
    case 'clients':
      return { page: 'clients', deploymentId: place.deploymentId };
    default:
      return place;
  }
}

/** Each page needs one of these; a page that would be answered 403 has no entry. */
const scopesOfPage: Readonly<Record<Known['page'], readonly Scope[]>> = {
  deployments: ['settings:read'],
  operations: ['usage:read', 'sessions:kick'],
  'tenant-audit': ['audit:read'],
  overview: ['settings:read'],
  'session-limit': ['settings:read', 'usage:read'],
  clients: ['usage:read'],
  rejections: ['usage:read'],
  'mqtt-users': ['settings:read'],
  connect: ['settings:read'],
  audit: ['audit:read'],
};

export function SideBar({ place }: { readonly place: Known }) {
  const { may } = useSession();
  const link = (text: string, to: Known): readonly SideNavigationProps.Link[] =>
    scopesOfPage[to.page].some(may) ? [{ type: 'link', text, href: addressOf(to) }] : [];
  const section = (text: string, ...links: (readonly SideNavigationProps.Link[])[]): SideNavigationProps.Item[] => {
    const items = links.flat();
    return items.length === 0 ? [] : [{ type: 'section', text, items }];
  };

  function itemsOf(deploymentId: string): readonly SideNavigationProps.Item[] {
    const inside = (text: string, to: DeploymentPlace) => link(text, { ...to, deploymentId });
    return [
      ...inside('Overview', { page: 'overview' }),
      ...inside('User Session Limit', { page: 'session-limit', tab: 'usage' }),
      ...section(
        'Monitor',
        inside('Client Details', { page: 'clients' }),
        inside('Rejections', { page: 'rejections' }),
      ),
      ...section('Access', inside('MQTT Users', { page: 'mqtt-users' }), inside('How to Connect', { page: 'connect' })),
      ...inside('Audit Trail', { page: 'audit' }),
      { type: 'divider' },
    ];
  }

  const header = isInside(place)
    ? { text: place.deploymentId, href: addressOf({ page: 'overview', deploymentId: place.deploymentId }) }
    : undefined;
  return (
    <SideNavigation
      {...(header === undefined ? {} : { header })}
      activeHref={addressOf(entryOf(place))}
      onFollow={follow}
      items={[
        ...(isInside(place) ? itemsOf(place.deploymentId) : []),
        ...link('All deployments', { page: 'deployments' }),
        ...link('Operations', { page: 'operations' }),
        ...link('Audit of all deployments', { page: 'tenant-audit' }),
      ]}
    />
  );
}
