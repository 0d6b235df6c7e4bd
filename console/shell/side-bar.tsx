import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import { follow } from './location.ts';
import { addressOf, type DeploymentPlace, type Place } from './places.ts';

type Inside = DeploymentPlace & { readonly deploymentId: string };

/** What the side bar shows as current for a place: it has one entry for all tabs and all clients. */
function entryOf(place: Inside): Inside {
  const { deploymentId } = place;
  switch (place.page) {
    case 'session-limit':
      return { page: 'session-limit', tab: 'usage', deploymentId };
    case 'clients':
      return { page: 'clients', deploymentId };
    default:
      return place;
  }
}

export function isInside(place: Place): place is Inside {
  return place.page !== 'deployments' && place.page !== 'not-found';
}

export function SideBar({ place }: { readonly place: Inside }) {
  const { deploymentId } = place;
  const link = (text: string, to: DeploymentPlace): SideNavigationProps.Link => ({
    type: 'link',
    text,
    href: addressOf({ ...to, deploymentId }),
  });
  return (
    <SideNavigation
      header={{ text: deploymentId, href: addressOf({ page: 'overview', deploymentId }) }}
      activeHref={addressOf(entryOf(place))}
      onFollow={follow}
      items={[
        link('Overview', { page: 'overview' }),
        link('User Session Limit', { page: 'session-limit', tab: 'usage' }),
        {
          type: 'section',
          text: 'Monitor',
          items: [link('Client Details', { page: 'clients' }), link('Rejections', { page: 'rejections' })],
        },
        {
          type: 'section',
          text: 'Access',
          items: [link('MQTT Users', { page: 'mqtt-users' }), link('How to Connect', { page: 'connect' })],
        },
        link('Audit Trail', { page: 'audit' }),
        { type: 'divider' },
        { type: 'link', text: 'All deployments', href: addressOf({ page: 'deployments' }) },
      ]}
    />
  );
}
