// Kick of one client: asked once more right where the button is, as a popup over a popup would lose the place.

import Button from '@cloudscape-design/components/button';
import Popover from '@cloudscape-design/components/popover';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { useAction } from '../state/use-action.ts';
import { ProblemAlert } from './problem-alert.tsx';
import { shownName } from './shown-name.ts';

export function KickClient(given: {
  readonly deploymentId: string;
  readonly clientId: string;
  readonly icon?: boolean;
  onKicked(): void;
}) {
  const { deploymentId, clientId, icon = false } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const { running, problem, run } = useAction();
  const shown = shownName(clientId);
  const kick = (): void =>
    run(async () => {
      await client.kickClient(deploymentId, clientId);
      tell({ id: `kick ${clientId}`, kind: 'success', text: `Client ${shown} was kicked.` });
      given.onKicked();
    });
  return (
    <Popover
      triggerType="custom"
      header={`Kick ${shown}?`}
      dismissAriaLabel="Close"
      renderWithPortal
      content={
        <SpaceBetween size="s">
          <span>It is disconnected and its session ends, queued messages included.</span>
          <ProblemAlert problem={problem} what="kicking" />
          <Button loading={running} onClick={kick}>
            Kick now
          </Button>
        </SpaceBetween>
      }
    >
      <Button {...(icon ? { variant: 'inline-icon', iconName: 'close', ariaLabel: `Kick ${shown}` } : {})}>
        {icon ? undefined : 'Kick'}
      </Button>
    </Popover>
  );
}
