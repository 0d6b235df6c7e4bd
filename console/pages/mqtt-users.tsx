// MQTT users of a deployment. No password is ever shown again.

import Button from '@cloudscape-design/components/button';
import { useState } from 'react';
import type { Credential } from '../client/types.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { actionsColumn, usernameColumn } from '../parts/list-columns.tsx';
import { ListHeader } from '../parts/list-header.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { nameInText, shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { usePages } from '../state/use-pages.ts';
import { MqttUserDialog } from './mqtt-user-dialog.tsx';

type Asked =
  | { readonly kind: 'add' }
  | { readonly kind: 'password'; readonly username: string }
  | { readonly kind: 'delete'; readonly username: string };

export default function MqttUsers({ deploymentId }: { readonly deploymentId: string }) {
  const { client, may } = useSession();
  const { tell } = useNotices();
  const [asked, setAsked] = useState<Asked | undefined>();
  const pages = usePages(`mqtt-users ${deploymentId}`, (cursor, signal) =>
    client.listCredentials(deploymentId, { cursor }, signal),
  );
  const mayWrite = may('credentials:write');
  const close = (): void => setAsked(undefined);
  return (
    <>
      <ListTable<Credential>
        pages={pages}
        what="MQTT users"
        idOf={({ username }) => username}
        header={
          <ListHeader
            variant="h1"
            title="MQTT Users"
            description="Who may connect to this deployment with a password."
            what="MQTT users"
            pages={pages}
            add={
              mayWrite && (
                <Button variant="primary" onClick={() => setAsked({ kind: 'add' })}>
                  Add MQTT user
                </Button>
              )
            }
          />
        }
        empty="This deployment has no MQTT user."
        columns={[
          usernameColumn(),
          { id: 'createdAt', header: 'Password set', cell: ({ createdAt }) => <When at={createdAt} /> },
          ...(mayWrite
            ? [
                actionsColumn<Credential>(240, [
                  {
                    label: 'New password',
                    describe: ({ username }) => `New password for ${nameInText(username)}`,
                    onClick: ({ username }) => setAsked({ kind: 'password', username }),
                  },
                  {
                    label: 'Remove',
                    describe: ({ username }) => `Remove ${nameInText(username)}`,
                    onClick: ({ username }) => setAsked({ kind: 'delete', username }),
                  },
                ]),
              ]
            : []),
        ]}
      />
      {(asked?.kind === 'add' || asked?.kind === 'password') && (
        <MqttUserDialog
          deploymentId={deploymentId}
          username={asked.kind === 'password' ? asked.username : undefined}
          onClose={close}
          onSaved={pages.reload}
        />
      )}
      {asked?.kind === 'delete' && (
        <ConfirmDialog
          title="Remove MQTT user"
          action="Remove"
          what="removing the MQTT user"
          onConfirm={async () => {
            await client.deleteCredential(deploymentId, asked.username);
            tell({ id: 'mqtt-user', kind: 'success', text: `${nameInText(asked.username)} is removed.` });
            pages.reload();
          }}
          onClose={close}
        >
          <b className="name">{shownName(asked.username)}</b> can no longer connect, and its clients are disconnected.
        </ConfirmDialog>
      )}
    </>
  );
}
