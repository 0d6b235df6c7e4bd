// Usernames' own limits.

import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import type { Override } from '../../client/types.ts';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { actionsColumn, usernameColumn } from '../../parts/list-columns.tsx';
import { ListHeader } from '../../parts/list-header.tsx';
import { ListTable } from '../../parts/list-table.tsx';
import { nameInText, shownName } from '../../parts/shown-name.ts';
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
  return (
    <>
      <ListTable<Override>
        pages={pages}
        what="overrides"
        idOf={({ username }) => username}
        header={
          <ListHeader
            variant="h2"
            title="Overrides"
            description="A username's own limit, in place of the deployment's. A whitelisted username needs none."
            what="overrides"
            pages={pages}
            add={
              mayWrite && (
                <Button variant="primary" onClick={() => setAsked({ kind: 'add' })}>
                  Add override
                </Button>
              )
            }
          />
        }
        empty="Every username has the deployment's limit."
        columns={[
          usernameColumn(),
          {
            id: 'limit',
            header: 'Limit',
            cell: ({ limit }) => (typeof limit === 'number' ? limit.toLocaleString() : limit),
          },
          ...(mayWrite
            ? [
                actionsColumn<Override>(200, [
                  {
                    label: 'Edit',
                    describe: ({ username }) => `Edit the override of ${nameInText(username)}`,
                    onClick: (override) => setAsked({ kind: 'edit', override }),
                  },
                  {
                    label: 'Remove',
                    describe: ({ username }) => `Remove the override of ${nameInText(username)}`,
                    onClick: ({ username }) => setAsked({ kind: 'delete', username }),
                  },
                ]),
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
              text: `${nameInText(asked.username)} has the deployment's limit again.`,
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
