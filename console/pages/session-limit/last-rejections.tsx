// The last rejections of one username: when, which client, why.

import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import type { RejectionEntry } from '../../client/types.ts';
import { ProblemAlert } from '../../parts/problem-alert.tsx';
import { reasonWords } from '../../parts/rejection-reason.ts';
import { shownName } from '../../parts/shown-name.ts';
import { When } from '../../parts/when.tsx';
import type { Loaded } from '../../state/use-load.ts';

export function LastRejections({
  rejections,
}: {
  readonly rejections: Loaded<{ readonly items: readonly RejectionEntry[] }>;
}) {
  const { data, problem, reload } = rejections;
  if (problem !== undefined) return <ProblemAlert problem={problem} what="the last rejections" onRetry={reload} />;
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Table<RejectionEntry>
      variant="embedded"
      header={
        <Header variant="h3" description="The newest 20 at most, newest first.">
          Last rejections
        </Header>
      }
      ariaLabels={{ tableLabel: 'last rejections' }}
      items={[...data.items]}
      sortingDisabled
      columnDefinitions={[
        { id: 'at', header: 'Time', cell: ({ at }) => <When at={at} /> },
        {
          id: 'clientId',
          header: 'Client ID',
          isRowHeader: true,
          minWidth: 160,
          cell: ({ clientId }) => (clientId === '' ? '–' : <span className="name">{shownName(clientId)}</span>),
        },
        { id: 'reason', header: 'Reason', cell: ({ reason }) => reasonWords[reason] },
      ]}
    />
  );
}
