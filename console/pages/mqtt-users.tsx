// MQTT users of a deployment. No password is ever shown again.

import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Credential } from '../client/types.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { Refresh } from '../parts/refresh.tsx';
import { shownName } from '../parts/shown-name.ts';
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
          <Header
            variant="h1"
            description="Who may connect to this deployment with a password."
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Refresh of="MQTT users" loading={pages.loading} onRefresh={pages.reload} />
                {mayWrite && (
                  <Button variant="primary" onClick={() => setAsked({ kind: 'add' })}>
                    Add MQTT user
                  </Button>
                )}
              </SpaceBetween>
            }
          >
            MQTT Users
          </Header>
        }
        empty="This deployment has no MQTT user."
        columns={[
          {
            id: 'username',
            header: 'Username',
            isRowHeader: true,
            cell: ({ username }) => <span className="name">{shownName(username)}</span>,
          },
          { id: 'createdAt', header: 'Password set', cell: ({ createdAt }) => <When at={createdAt} /> },
          ...(mayWrite
            ? [
                {
                  id: 'actions',
                  header: 'Actions',
                  width: 240,
                  cell: ({ username }: Credential) => (
                    <SpaceBetween direction="horizontal" size="xs">
                      <Button
                        variant="inline-link"
                        ariaLabel={`New password for ${shownName(username)}`}
                        onClick={() => setAsked({ kind: 'password', username })}
                      >
                        New password
                      </Button>
                      <Button
                        variant="inline-link"
                        ariaLabel={`Remove ${shownName(username)}`}
                        onClick={() => setAsked({ kind: 'delete', username })}
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
            tell({ id: 'mqtt-user', kind: 'success', text: `${shownName(asked.username)} is removed.` });
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
