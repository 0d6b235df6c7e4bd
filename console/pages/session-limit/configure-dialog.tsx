// The first configuration of a limit. It is enabled by it.

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { useSession } from '../../session/use-session.ts';
import { useNotices } from '../../state/notices.tsx';
import { useAction } from '../../state/use-action.ts';
import { maxSessionsRule, maxSessionsUsual, parseMaxSessions } from './max-sessions.ts';
import { describeOver } from './over-limit.ts';
import { withNames } from './whitelist-editor.tsx';

export default function ConfigureDialog(given: {
  readonly deploymentId: string;
  onClose(): void;
  onConfigured(): void;
}) {
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [text, setText] = useState(String(maxSessionsUsual));
  const [whitelist, setWhitelist] = useState('');
  const max = parseMaxSessions(text);

  return (
    <FormDialog
      title="Configure Limit"
      submit="Configure"
      what={
        action.problem?.status === 412
          ? 'configuring: somebody else has configured a limit meanwhile. Close this to see it'
          : 'configuring the limit'
      }
      ready={max !== undefined}
      action={action}
      onClose={given.onClose}
      onSubmit={async () => {
        if (max === undefined) return;
        const { value } = await client.configureSessionLimit(given.deploymentId, {
          maxSessionsPerUsername: max,
          whitelist: [...withNames([], whitelist)],
        });
        const told = `The session limit is configured and enabled. ${describeOver(value)}`;
        tell({ id: 'session-limit', kind: 'success', text: told.trim() });
        given.onConfigured();
      }}
    >
      <FormField
        label="Max sessions per username"
        constraintText={maxSessionsRule}
        errorText={max === undefined && maxSessionsRule}
      >
        <Input value={text} inputMode="numeric" onChange={({ detail }) => setText(detail.value)} />
      </FormField>
      <FormField
        label={
          <span>
            Whitelist <i>- optional</i>
          </span>
        }
        description="Usernames that are not subject to the limit. One a line."
      >
        <Textarea value={whitelist} rows={3} spellcheck={false} onChange={({ detail }) => setWhitelist(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
