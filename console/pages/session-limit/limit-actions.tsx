// Disable and enable keep the configuration; delete does not.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { lazy, Suspense, useState } from 'react';
import type { SessionLimit, Versioned } from '../../client/types.ts';
import { useSession } from '../../session/use-session.ts';
import { useNotices } from '../../state/notices.tsx';
import { describeOver } from './over-limit.ts';

const ConfirmDialog = lazy(async () => ({ default: (await import('../../parts/confirm-dialog.tsx')).ConfirmDialog }));

export function LimitActions(given: {
  readonly deploymentId: string;
  readonly stored: Versioned<SessionLimit>;
  onChanged(): void;
}) {
  const { deploymentId, stored, onChanged } = given;
  const { client, may } = useSession();
  const { tell } = useNotices();
  const [asked, setAsked] = useState<'disable' | 'delete' | 'enable' | undefined>();
  if (!may('settings:write')) return null;
  const { enabled } = stored.value;

  const switchTo = async (next: boolean): Promise<void> => {
    // Whoever changed something else meanwhile loses nothing by this: only the switch is written.
    const changed = await client.changeSessionLimit(deploymentId, { enabled: next }, undefined);
    const told = next
      ? `The session limit is enabled. ${describeOver(changed.value)}`
      : 'The session limit is disabled.';
    tell({ id: 'session-limit', kind: 'success', text: told.trim() });
    onChanged();
  };
  const remove = async (): Promise<void> => {
    await client.deleteSessionLimit(deploymentId, stored.etag);
    tell({ id: 'session-limit', kind: 'success', text: 'The session limit is deleted.' });
    onChanged();
  };
  const close = (): void => setAsked(undefined);

  return (
    <SpaceBetween direction="horizontal" size="xs">
      {enabled ? (
        <Button onClick={() => setAsked('disable')}>Disable Limit</Button>
      ) : (
        <Button onClick={() => setAsked('enable')}>Enable Limit</Button>
      )}
      <Button onClick={() => setAsked('delete')}>Delete Limit</Button>
      <Suspense>
        {asked === 'disable' && (
          <ConfirmDialog
            title="Disable Limit"
            action="Disable"
            what="disabling the limit"
            onConfirm={() => switchTo(false)}
            onClose={close}
          >
            <Box>
              New sessions are no longer turned away. Settings, whitelist and overrides are kept, and sessions go on
              being counted: enabling the limit again brings it back as it was.
            </Box>
          </ConfirmDialog>
        )}
        {asked === 'enable' && (
          <ConfirmDialog
            title="Enable Limit"
            action="Enable"
            what="enabling the limit"
            onConfirm={() => switchTo(true)}
            onClose={close}
          >
            <Box>
              Nobody is disconnected. Usernames that are at or over their limit get no new session until they are below
              it.
            </Box>
          </ConfirmDialog>
        )}
        {asked === 'delete' && (
          <ConfirmDialog
            title="Delete Limit"
            action="Delete"
            what="deleting the limit"
            typed="delete"
            onConfirm={remove}
            onClose={close}
          >
            The limit is deleted for good, with its settings, its whitelist and all overrides. This cannot be undone. To
            stop enforcing and keep all of that, use Disable Limit.
          </ConfirmDialog>
        )}
      </Suspense>
    </SpaceBetween>
  );
}
