import type { Place } from './places.ts';

const names: Readonly<Record<Place['page'], string>> = {
  deployments: 'Deployments',
  operations: 'Operations',
  'tenant-audit': 'Audit of all deployments',
  'not-found': 'Not found',
  overview: 'Overview',
  connect: 'How to Connect',
  'mqtt-users': 'MQTT Users',
  'session-limit': 'User Session Limit',
  clients: 'Client Details',
  rejections: 'Rejections',
  audit: 'Audit Trail',
};

export function titleOf(place: Place): string {
  return names[place.page];
}
