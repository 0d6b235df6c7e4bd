// What ends sessions in the background, in all deployments of the tenant, and how far it is.

import Header from '@cloudscape-design/components/header';
import type { ListedOperation } from '../client/types.ts';
import { DeploymentLink } from '../parts/deployment-link.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { OperationStatus } from '../parts/operation-status.tsx';
import { LiveRefresh } from '../parts/refresh.tsx';
import { shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { usePages } from '../state/use-pages.ts';

const kindWords: Readonly<Record<ListedOperation['kind'], string>> = {
  kick: 'Kick of',
  credential_removed: 'MQTT user removed:',
  username_blocked: 'Username blocked:',
  deployment_suspended: 'Deployment suspended',
  deployment_deleted: 'Deployment deleted',
  token_issuer_changed: 'Token issuer changed',
};

export default function Operations() {
  const { client, may } = useSession();
  const pages = usePages('operations', (cursor, signal) => client.listOperations({ cursor }, signal));
  const kicksOnly = !may('usage:read');
  return (
    <ListTable<ListedOperation>
      pages={pages}
      what="operations"
      idOf={({ operationId }) => operationId}
      header={
        <Header
          variant="h1"
          description={
            kicksOnly
              ? 'Your kicks of the last week, newest first.'
              : 'Sessions that are ended in the background: kicks, removals, suspensions. Of the last week, newest first.'
          }
          actions={<LiveRefresh of="operations" loading={pages.loading} onRefresh={pages.reload} />}
        >
          Operations
        </Header>
      }
      empty={pages.hasNext ? 'No kick of yours is on this page.' : 'No operation was started in the last week.'}
      columns={[
        {
          id: 'what',
          header: 'What',
          isRowHeader: true,
          minWidth: 160,
          cell: ({ kind, username }) => (
            <>
              {kindWords[kind]}
              {username !== undefined && <span className="name"> {shownName(username)}</span>}
            </>
          ),
        },
        {
          id: 'deploymentId',
          header: 'Deployment',
          // A deletion that is done has left nothing to go to.
          cell: ({ deploymentId, kind, status }) =>
            kind === 'deployment_deleted' && status === 'done' ? (
              deploymentId
            ) : (
              <DeploymentLink deploymentId={deploymentId} />
            ),
        },
        { id: 'status', header: 'Status', cell: ({ status }) => <OperationStatus status={status} /> },
        {
          id: 'finished',
          header: 'Finished',
          cell: ({ finished, total }) =>
            total === undefined
              ? finished.toLocaleString()
              : `${finished.toLocaleString()} of ${total.toLocaleString()}`,
        },
        { id: 'startedAt', header: 'Started', cell: ({ startedAt }) => <When at={startedAt} /> },
        { id: 'endedAt', header: 'Ended', cell: ({ endedAt }) => <When at={endedAt} /> },
      ]}
    />
  );
}
