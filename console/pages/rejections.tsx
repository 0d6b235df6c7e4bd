// Rejections: how many an hour, whom they met, and why.

import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { lazy, Suspense } from 'react';
import type { Rejection } from '../client/types.ts';
import { ListTable } from '../parts/list-table.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { LiveRefresh } from '../parts/refresh.tsx';
import { reasonWords } from '../parts/rejection-reason.ts';
import { shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { follow } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';
import { useLoad } from '../state/use-load.ts';
import { usePages } from '../state/use-pages.ts';

// The charts are the largest part of the console; they come when they are needed.
const Chart = lazy(() => import('./rejections-chart.tsx'));

export default function Rejections({ deploymentId }: { readonly deploymentId: string }) {
  const { client } = useSession();
  const pages = usePages(`rejections ${deploymentId}`, (cursor, signal) =>
    client.listRejections(deploymentId, { cursor }, signal),
  );
  const hours = useLoad(`rejections by hour ${deploymentId}`, (signal) =>
    client.listRejectionsByHour(deploymentId, { limit: 100 }, signal),
  );
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="CONNECTs turned away although their credentials were right. At most 10 seconds late."
        actions={
          <LiveRefresh
            of="rejections"
            loading={pages.loading}
            onRefresh={() => {
              pages.reload();
              hours.reload();
            }}
          />
        }
      >
        Rejections
      </Header>
      <Container
        header={
          <Header variant="h2" description="Those at their session limit.">
            Per hour
          </Header>
        }
      >
        <ProblemAlert problem={hours.problem} what="rejections per hour" onRetry={hours.reload} />
        {hours.data !== undefined && hours.readAt !== undefined && (
          <Suspense fallback={<StatusIndicator type="loading">Loading the chart</StatusIndicator>}>
            <Chart hours={hours.data.items} until={hours.readAt} />
          </Suspense>
        )}
      </Container>
      <ListTable<Rejection>
        pages={pages}
        what="rejections"
        idOf={({ username, reason }) => `${reason} ${username}`}
        header={
          <Header variant="h2" description="Newest first.">
            By username and reason
          </Header>
        }
        empty="Nobody has been rejected."
        columns={[
          {
            id: 'username',
            header: 'Username',
            isRowHeader: true,
            cell: ({ username }) => (
              <Link
                href={addressOf({ page: 'session-limit', tab: 'usage', clientsOf: username, deploymentId })}
                onFollow={follow}
              >
                <span className="name">{shownName(username)}</span>
              </Link>
            ),
          },
          { id: 'reason', header: 'Reason', cell: ({ reason }) => reasonWords[reason] },
          { id: 'rejections', header: 'Rejections', cell: ({ rejections }) => rejections.toLocaleString() },
          { id: 'last', header: 'Last rejection', cell: ({ lastRejectedAt }) => <When at={lastRejectedAt} /> },
          {
            id: 'clientId',
            header: 'Last client ID',
            cell: ({ clientId }) => (clientId === '' ? '–' : <span className="name">{shownName(clientId)}</span>),
          },
        ]}
      />
    </SpaceBetween>
  );
}
