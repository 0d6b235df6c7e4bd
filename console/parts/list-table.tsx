// A list of the API as a table: loading, empty, failed with a way to try again, and pages.

import Box from '@cloudscape-design/components/box';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { ReactNode } from 'react';
import type { Pages } from '../state/use-pages.ts';
import { ProblemAlert } from './problem-alert.tsx';

export interface ListTableProps<T> {
  readonly pages: Pages<T>;
  /** What the list holds, as it stands in a sentence: `MQTT users`. */
  readonly what: string;
  readonly idOf: (item: T) => string;
  readonly columns: TableProps.ColumnDefinition<T>[];
  readonly header?: ReactNode;
  readonly filter?: ReactNode;
  readonly empty: ReactNode;
  readonly variant?: 'container' | 'embedded';
  readonly sorting?: Pick<TableProps<T>, 'sortingColumn' | 'sortingDescending' | 'onSortingChange'>;
}

export function ListTable<T>({
  pages,
  what,
  idOf,
  columns,
  header,
  filter,
  empty,
  variant = 'container',
  sorting = {},
}: ListTableProps<T>) {
  const { items, problem, loading, pageIndex, hasNext } = pages;
  const failedFirst = items === undefined && problem !== undefined;
  return (
    <SpaceBetween size="s">
      {problem !== undefined && <ProblemAlert problem={problem} what={what} onRetry={pages.reload} />}
      <Table<T>
        variant={variant}
        items={[...(items ?? [])]}
        trackBy={idOf}
        columnDefinitions={columns}
        loading={loading && items === undefined}
        loadingText={`Loading ${what}`}
        header={header}
        filter={filter}
        sortingDisabled={sorting.onSortingChange === undefined}
        {...sorting}
        ariaLabels={{ tableLabel: what }}
        empty={
          <Box textAlign="center" color="inherit" padding={{ vertical: 's' }}>
            {failedFirst ? `Could not read ${what}.` : empty}
          </Box>
        }
        {...(pageIndex > 1 || hasNext
          ? {
              pagination: (
                <Pagination
                  currentPageIndex={pageIndex}
                  pagesCount={pageIndex + (hasNext ? 1 : 0)}
                  openEnd={hasNext}
                  disabled={loading}
                  onChange={({ detail }) => pages.goToPage(detail.currentPageIndex)}
                  ariaLabels={{
                    paginationLabel: `Pages of ${what}`,
                    nextPageLabel: 'Next page',
                    previousPageLabel: 'Previous page',
                    pageLabel: (page) => `Page ${page}`,
                  }}
                />
              ),
            }
          : {})}
      />
    </SpaceBetween>
  );
}
