// Audit records as a table: of one deployment, or of all with a column that says which.

import Header from '@cloudscape-design/components/header';
import type { TableProps } from '@cloudscape-design/components/table';
import type { AuditRecord } from '../client/types.ts';
import { ListTable } from '../parts/list-table.tsx';
import { Refresh } from '../parts/refresh.tsx';
import { shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import type { Pages } from '../state/use-pages.ts';
import { differences } from './audit-differences.ts';

export function AuditTable<T extends AuditRecord>(given: {
  readonly pages: Pages<T>;
  readonly title: string;
  readonly description: string;
  readonly where?: TableProps.ColumnDefinition<T>;
}) {
  const { pages, title, description, where } = given;
  return (
    <ListTable<T>
      pages={pages}
      what="the audit trail"
      idOf={(record) => JSON.stringify(record)}
      header={
        <Header
          variant="h1"
          description={description}
          actions={<Refresh of="the audit trail" loading={pages.loading} onRefresh={pages.reload} />}
        >
          {title}
        </Header>
      }
      empty="No settings have been changed."
      columns={columnsOf(where)}
    />
  );
}

/** A long change fills its row; what the row is about is read at its top. */
function columnsOf<T extends AuditRecord>(
  where: TableProps.ColumnDefinition<T> | undefined,
): TableProps.ColumnDefinition<T>[] {
  const columns: readonly TableProps.ColumnDefinition<T>[] = [
    { id: 'at', header: 'When', isRowHeader: true, cell: ({ at }) => <When at={at} /> },
    ...(where === undefined ? [] : [where]),
    {
      id: 'actor',
      header: 'Who',
      minWidth: 150,
      cell: ({ actor }) => <span className="name">{shownName(actor)}</span>,
    },
    {
      id: 'action',
      header: 'What',
      cell: ({ action, subject }) => (
        <>
          {action}
          {subject !== undefined && <span className="name"> {shownName(subject)}</span>}
        </>
      ),
    },
    {
      id: 'change',
      header: 'Before and after',
      cell: ({ before, after }) => (
        <ul className="plain">
          {differences(before, after).map(({ name, from, to }) => (
            <li key={name}>
              {name === '' ? '' : `${name}: `}
              {from !== undefined && <span className="name">{from} → </span>}
              <span className="name">{to}</span>
            </li>
          ))}
        </ul>
      ),
    },
  ];
  return columns.map((column) => ({ ...column, verticalAlign: 'top' }));
}
