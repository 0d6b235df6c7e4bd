// The tenant's deployments.

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import { lazy, Suspense, useState } from 'react';
import type { Deployment } from '../client/types.ts';
import { DeploymentStatus } from '../parts/deployment-status.tsx';
import { ListHeader } from '../parts/list-header.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { follow, goToPlace } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';
import { usePages } from '../state/use-pages.ts';

const CreateDialog = lazy(() => import('./deployment-create.tsx'));

export default function Deployments() {
  const { client, may } = useSession();
  const [creating, setCreating] = useState(false);
  const pages = usePages('deployments', (cursor, signal) => client.listDeployments({ cursor }, signal));
  return (
    <>
      <ListTable<Deployment>
        pages={pages}
        what="deployments"
        idOf={({ deploymentId }) => deploymentId}
        header={
          <ListHeader
            variant="h1"
            title="Deployments"
            description="Each is one logical MQTT service, with its own users, sessions and limits."
            what="deployments"
            pages={pages}
            add={
              may('deployments:write') && (
                <Button variant="primary" onClick={() => setCreating(true)}>
                  Create deployment
                </Button>
              )
            }
          />
        }
        empty="You have no deployment yet."
        columns={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: ({ deploymentId, name }) => (
              <Link href={addressOf({ page: 'overview', deploymentId })} onFollow={follow}>
                <span className="name">{shownName(name)}</span>
              </Link>
            ),
          },
          { id: 'deploymentId', header: 'ID', cell: ({ deploymentId }) => deploymentId },
          { id: 'status', header: 'Status', cell: ({ status }) => <DeploymentStatus status={status} /> },
          {
            id: 'limit',
            header: 'Session limit',
            cell: ({ deploymentId }) => (
              <Link
                href={addressOf({ page: 'session-limit', tab: 'usage', deploymentId })}
                onFollow={follow}
                ariaLabel={`User Session Limit of ${deploymentId}`}
              >
                User Session Limit
              </Link>
            ),
          },
          { id: 'createdAt', header: 'Created', cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
      <Suspense>
        {creating && (
          <CreateDialog
            onClose={() => setCreating(false)}
            onCreated={({ deploymentId }) => goToPlace({ page: 'overview', deploymentId })}
          />
        )}
      </Suspense>
    </>
  );
}
