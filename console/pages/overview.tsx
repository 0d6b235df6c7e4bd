// One deployment: what it is, and how it behaves.

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { lazy, Suspense, useState } from 'react';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { DeploymentStatus } from '../parts/deployment-status.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { Refresh } from '../parts/refresh.tsx';
import { shownName } from '../parts/shown-name.ts';
import { shownSeconds } from '../parts/shown-seconds.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { follow, goToPlace } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';
import { useFollowOperation } from '../state/use-kick.ts';
import { useLoad } from '../state/use-load.ts';
import { deploymentChoices } from './deployment-choices.ts';

const EditDialog = lazy(() => import('./deployment-edit.tsx'));

export default function Overview({ deploymentId }: { readonly deploymentId: string }) {
  const { client, may } = useSession();
  const followOperation = useFollowOperation();
  const [asked, setAsked] = useState<'edit' | 'delete' | undefined>();
  const found = useLoad(`deployment ${deploymentId}`, (signal) => client.getDeployment(deploymentId, signal));
  const { data } = found;
  const mayChange = data !== undefined && data.status !== 'deleting' && may('deployments:write');
  const close = (): void => setAsked(undefined);

  const remove = async (): Promise<void> => {
    const { operationId } = await client.deleteDeployment(deploymentId);
    void followOperation(operationId, {
      running: `Deleting the deployment ${deploymentId}`,
      done: `The deployment ${deploymentId} is deleted`,
      failed: `The deployment ${deploymentId} could not be deleted whole. Try again.`,
    });
    goToPlace({ page: 'deployments' });
  };

  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Refresh of="the deployment" loading={found.loading} onRefresh={found.reload} />
            {mayChange && <Button onClick={() => setAsked('edit')}>Edit</Button>}
            {mayChange && <Button onClick={() => setAsked('delete')}>Delete</Button>}
          </SpaceBetween>
        }
      >
        <span className="name">{shownName(data?.name ?? deploymentId)}</span>
      </Header>
      <ProblemAlert problem={found.problem} what="the deployment" onRetry={found.reload} />
      {data === undefined && found.loading && (
        <div role="status">
          <StatusIndicator type="loading">Loading the deployment</StatusIndicator>
        </div>
      )}
      {data !== undefined && (
        <Container header={<Header variant="h2">Deployment</Header>}>
          <KeyValuePairs
            columns={3}
            items={[
              { label: 'ID', value: data.deploymentId },
              { label: 'Status', value: <DeploymentStatus status={data.status} /> },
              { label: 'Created', value: <When at={data.createdAt} /> },
              { label: 'MQTT host', value: <span className="name">{data.mqttHost ?? 'none of its own'}</span> },
              { label: 'Session expiry where a client says none', value: shownSeconds(data.sessionExpirySeconds) },
              ...deploymentChoices.map(({ name, label, on, off }) => ({
                label,
                value: data[name] === on.value ? on.shown : off.shown,
              })),
            ]}
          />
        </Container>
      )}
      <Container header={<Header variant="h2">What to do here</Header>}>
        <ul className="links">
          <li>
            <Link href={addressOf({ page: 'session-limit', tab: 'usage', deploymentId })} onFollow={follow}>
              See who holds how many sessions, and limit them
            </Link>
          </li>
          <li>
            <Link href={addressOf({ page: 'mqtt-users', deploymentId })} onFollow={follow}>
              Add MQTT users
            </Link>
          </li>
          <li>
            <Link href={addressOf({ page: 'connect', deploymentId })} onFollow={follow}>
              Connect a client: commands to copy
            </Link>
          </li>
        </ul>
      </Container>
      <Suspense>
        {asked === 'edit' && data !== undefined && (
          <EditDialog
            deployment={data}
            onClose={close}
            onSaved={() => {
              close();
              found.reload();
            }}
          />
        )}
      </Suspense>
      {asked === 'delete' && (
        <ConfirmDialog
          title="Delete deployment"
          action="Delete"
          what="deleting deployments"
          typed={deploymentId}
          onConfirm={remove}
          onClose={close}
        >
          All clients are disconnected, and the deployment is deleted with its MQTT users, settings, sessions and
          records. This cannot be undone.
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}
