import Link from '@cloudscape-design/components/link';
import { follow } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';

export function DeploymentLink({ deploymentId }: { readonly deploymentId: string }) {
  return (
    <Link href={addressOf({ page: 'overview', deploymentId })} onFollow={follow}>
      {deploymentId}
    </Link>
  );
}
