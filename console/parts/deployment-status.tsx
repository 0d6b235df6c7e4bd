import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Deployment } from '../client/types.ts';

export function DeploymentStatus({ status }: { readonly status: Deployment['status'] }) {
  switch (status) {
    case 'active':
      return <StatusIndicator type="success">active</StatusIndicator>;
    case 'suspended':
      return <StatusIndicator type="stopped">suspended</StatusIndicator>;
    case 'deleting':
      return <StatusIndicator type="in-progress">deleting</StatusIndicator>;
  }
}
