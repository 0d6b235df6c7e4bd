import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Operation } from '../client/types.ts';

export function OperationStatus({ status }: { readonly status: Operation['status'] }) {
  switch (status) {
    case 'running':
      return <StatusIndicator type="in-progress">running</StatusIndicator>;
    case 'done':
      return <StatusIndicator type="success">done</StatusIndicator>;
    case 'failed':
      return <StatusIndicator type="error">failed</StatusIndicator>;
  }
}
