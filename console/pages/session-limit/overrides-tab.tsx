// Usernames' own limits.

import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Override } from '../../client/types.ts';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { ListTable } from '../../parts/list-table.tsx';
import { Refresh } from '../../parts/refresh.tsx';
import { shownName } from '../../parts/shown-name.ts';
import { useSession } from '../../session/use-session.ts';
import { useNotices } from '../../state/notices.tsx';
import { usePages } from '../../state/use-pages.ts';
import { OverrideDialog } from './override-dialog.tsx';

type Asked =
  | { readonly kind: 'add' }
  | { readonly kind: 'edit'; readonly override: Override }
  | { readonly kind: 'delete'; readonly username: string };

export default function OverridesTab({ deploymentId }: { readonly deploymentId: string }) {
  const { client, may } = useSession();
  const { tell } = useNotices();
  const [asked, setAsked] = useState<Asked | undefined>();
  const pages = usePages(`overrides ${deploymentId}`, (cursor, signal) =>
    client.listOverrides(deploymentId, { cursor }, signal),
  );
  const mayWrite = may('settings:write');
  const close = (): void => setAsked(undefined);
  const add = (
    <Button variant="primary" onClick={() => setAsked({ kind: 'add' })}>
      Add override
    </Button>
  );
  return (
    <>
      <ListTable<Override>
        pages={pages}
        what="overrides"
        idOf={({ username }) => username}
        header={
          <Header
            variant="h2"
            description="A username's own limit, in place of the deployment's. A whitelisted username needs none."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Refresh of="overrides" loading={pages.loading} onRefresh={pages.reload} />
                {mayWrite && add}
              </SpaceBetween>
            }
          >
            Overrides
          </Header>
        }
        empty="Every username has the deployment's limit."
        columns={[
          {
            id: 'username',
            header: 'Username',
            isRowHeader: true,
            cell: ({ username }) => <span className="name">{shownName(username)}</span>,
          },
          {
            id: 'limit',
            header: 'Limit',
            cell: ({ limit }) => (typeof limit === 'number' ? limit.toLocaleString() : limit),
          },
          ...(mayWrite
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  width: 200,
                  cell: (override: Override) => (
                    <SpaceBetween direction="horizontal" size="xs">
                      <Button
                        variant="inline-link"
                        ariaLabel={`Edit the override of ${shownName(override.username)}`}
                        onClick={() => setAsked({ kind: 'edit', override })}
                      >
                        Edit
                      </Button>
                      <Button
                        variant="inline-link"
                        ariaLabel={`Remove the override of ${shownName(override.username)}`}
                        onClick={() => setAsked({ kind: 'delete', username: override.username })}
                      >
                        Remove
                      </Button>
                    </SpaceBetween>
                  ),
                },
              ]
            : []),
        ]}
      />
      {(asked?.kind === 'add' || asked?.kind === 'edit') && (
        <OverrideDialog
          deploymentId={deploymentId}
          override={asked.kind === 'edit' ? asked.override : undefined}
          onClose={close}
          onSaved={() => {
            close();
            pages.reload();
          }}
        />
      )}
      {asked?.kind === 'delete' && (
        <ConfirmDialog
          title="Remove override"
          action="Remove"
          what="removing the override"
          onConfirm={async () => {
            await client.deleteOverride(deploymentId, asked.username);
            tell({
              id: 'override',
              kind: 'success',
              text: `${shownName(asked.username)} has the deployment's limit again.`,
            });
            pages.reload();
          }}
          onClose={close}
        >
          <b className="name">{shownName(asked.username)}</b> gets the deployment's limit again.
        </ConfirmDialog>
      )}
    </>
  );
}
