import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Session } from '../client/types.ts';

export function SessionState({ state }: { readonly state: Session['state'] }) {
  switch (state) {
    case 'connected':
      return <StatusIndicator type="success">connected</StatusIndicator>;
    case 'retained':
      return <StatusIndicator type="stopped">retained</StatusIndicator>;
    case 'pending':
      return <StatusIndicator type="pending">pending</StatusIndicator>;
  }
}
