// Kick of one client, asked once more.

import Box from '@cloudscape-design/components/box';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { nameInText } from './shown-name.ts';

export function KickClient(given: {
  readonly deploymentId: string;
  readonly clientId: string;
  onKicked(): void;
  onClose(): void;
}) {
  const { deploymentId, clientId, onKicked, onClose } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const shown = nameInText(clientId);
  return (
    <ConfirmDialog
      title={`Kick ${shown}`}
      action="Kick"
      what="kicking"
      onConfirm={async () => {
        await client.kickClient(deploymentId, clientId);
        tell({ id: `kick ${clientId}`, kind: 'success', text: `Client ${shown} was kicked.` });
        onKicked();
      }}
      onClose={onClose}
    >
      <Box>
        <b className="name">{shown}</b> is disconnected, its session ends, and its queued messages are lost. It may
        connect again as the limit allows.
      </Box>
    </ConfirmDialog>
  );
}
