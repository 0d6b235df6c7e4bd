// Columns that lists of usernames share.

import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { TableProps } from '@cloudscape-design/components/table';
import { shownName } from './shown-name.ts';

/** The username, as the name of its row. */
export function usernameColumn<T extends { readonly username: string }>(): TableProps.ColumnDefinition<T> {
  return {
    id: 'username',
    header: 'Username',
    isRowHeader: true,
    cell: ({ username }) => <span className="name">{shownName(username)}</span>,
  };
}

export interface RowAction<T> {
  readonly label: string;
  /** What it does and to whom: the label alone is the same in every row. */
  readonly describe: (item: T) => string;
  readonly onClick: (item: T) => void;
}

export function actionsColumn<T>(width: number, actions: readonly RowAction<T>[]): TableProps.ColumnDefinition<T> {
  return {
    id: 'actions',
    header: 'Actions',
    width,
    cell: (item) => (
      <SpaceBetween direction="horizontal" size="xs">
        {actions.map(({ label, describe, onClick }) => (
          <Button key={label} variant="inline-link" ariaLabel={describe(item)} onClick={() => onClick(item)}>
            {label}
          </Button>
        ))}
      </SpaceBetween>
    ),
  };
}
