// Clients: the sessions of one username, in pages.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Session } from '../../client/types.ts';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { KickClient } from '../../parts/kick-client.tsx';
import { ListTable } from '../../parts/list-table.tsx';
import { ProblemAlert } from '../../parts/problem-alert.tsx';
import { Refresh } from '../../parts/refresh.tsx';
import { SessionState } from '../../parts/session-state.tsx';
import { nameInText, shownName } from '../../parts/shown-name.ts';
import { UsageBar } from '../../parts/usage-bar.tsx';
import { When } from '../../parts/when.tsx';
import { useSession } from '../../session/use-session.ts';
import { follow } from '../../shell/location.ts';
import { NoticeBar } from '../../shell/notice-bar.tsx';
import { addressOf } from '../../shell/places.ts';
import { useNotices } from '../../state/notices.tsx';
import { useFollowOperation } from '../../state/use-kick.ts';
import { useLoad } from '../../state/use-load.ts';
import { usePages } from '../../state/use-pages.ts';
import { LastRejections } from './last-rejections.tsx';

export default function ClientsDialog(given: {
  readonly deploymentId: string;
  readonly username: string;
  onClose(): void;
  onKicked(): void;
}) {
  const { deploymentId, username } = given;
  const { client, may } = useSession();
  const followOperation = useFollowOperation();
  const { notices } = useNotices();
  const [kicking, setKicking] = useState<'all' | { readonly clientId: string } | undefined>();
  const key = `${deploymentId} ${username}`;
  const usage = useLoad(`usage of ${key}`, (signal) => client.getUsage(deploymentId, username, signal));
  const pages = usePages(`sessions of ${key}`, (cursor, signal) =>
    client.listSessions(deploymentId, username, { cursor }, signal),
  );
  const rejections = useLoad(`last rejections of ${key}`, (signal) =>
    client.listLastRejections(deploymentId, username, signal),
  );
  const reload = (): void => {
    usage.reload();
    rejections.reload();
    pages.reload();
  };
  const shown = nameInText(username);
  const gone = usage.problem?.code === 'usage.not_found';

  const kickAll = async (): Promise<void> => {
    const { operationId } = await client.kickUsername(deploymentId, username);
    void followOperation(operationId, {
      running: `Disconnecting all clients of ${shown}`,
      done: `All clients of ${shown} are disconnected`,
      failed: `Not all clients of ${shown} could be disconnected. Try again.`,
    }).then(() => {
      reload();
      given.onKicked();
    });
  };

  // In place of this popup and not over it: Escape then leaves one thing at a time.
  if (kicking === 'all')
    return (
      <ConfirmDialog
        title={`Kick all clients of ${shown}`}
        action="Kick all"
        what="kicking"
        onConfirm={kickAll}
        onClose={() => setKicking(undefined)}
      >
        <Box>
          Every client of <b className="name">{shown}</b> is disconnected, its session ends, and its queued messages are
          lost. A client that connects again is admitted as the limit allows.
        </Box>
      </ConfirmDialog>
    );
  if (kicking !== undefined)
    return (
      <KickClient
        deploymentId={deploymentId}
        clientId={kicking.clientId}
        onKicked={() => {
          reload();
          given.onKicked();
        }}
        onClose={() => setKicking(undefined)}
      />
    );
  return (
    <Modal visible size="large" header={`Clients of ${shown}`} closeAriaLabel="Close" onDismiss={given.onClose}>
      <SpaceBetween size="s">
        {/* The bar of the page is behind this popup. */}
        {notices.length > 0 && <NoticeBar />}
        {usage.data !== undefined && !gone && (
          <SpaceBetween direction="horizontal" size="l">
            <UsageBar usage={usage.data} />
            <Box color="text-body-secondary">
              {usage.data.connected} connected, {usage.data.retained} retained, {usage.data.pending} pending
            </Box>
          </SpaceBetween>
        )}
        {usage.problem !== undefined && !gone && (
          <ProblemAlert problem={usage.problem} what="the usage of this username" onRetry={usage.reload} />
        )}
        <ListTable<Session>
          variant="embedded"
          pages={pages}
          what="clients"
          idOf={(session) => session.clientId}
          empty={gone ? 'This username has no live session and no rejection.' : 'This username has no live session.'}
          header={
            <Box float="right">
              <SpaceBetween direction="horizontal" size="xs">
                {may('sessions:kick') && (usage.data?.used ?? 0) > 0 && (
                  <Button onClick={() => setKicking('all')}>Kick all</Button>
                )}
                <Refresh of="clients" loading={pages.loading} onRefresh={reload} />
              </SpaceBetween>
            </Box>
          }
          columns={[
            {
              id: 'clientId',
              header: 'Client ID',
              isRowHeader: true,
              cell: ({ clientId }) => (
                <Link href={addressOf({ page: 'clients', clientId, deploymentId })} onFollow={follow}>
                  <span className="name">{shownName(clientId)}</span>
                </Link>
              ),
            },
            { id: 'state', header: 'State', cell: ({ state }) => <SessionState state={state} /> },
            { id: 'connectedAt', header: 'Connected', cell: ({ connectedAt }) => <When at={connectedAt} /> },
            { id: 'expiresAt', header: 'Expires', cell: ({ expiresAt }) => <When at={expiresAt} /> },
            { id: 'ipAddress', header: 'Address', cell: ({ ipAddress }) => ipAddress ?? '–' },
            ...(may('sessions:kick')
              ? [
                  {
                    id: 'kick',
                    header: 'Kick',
                    cell: ({ clientId }: Session) => (
                      <Button
                        variant="inline-icon"
                        iconName="close"
                        ariaLabel={`Kick ${nameInText(clientId)}`}
                        onClick={() => setKicking({ clientId })}
                      />
                    ),
                  },
                ]
              : []),
          ]}
        />
        <LastRejections rejections={rejections} />
      </SpaceBetween>
    </Modal>
  );
}
