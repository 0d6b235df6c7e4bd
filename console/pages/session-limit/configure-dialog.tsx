// The first configuration of a limit. It is enabled by it.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { ProblemAlert } from '../../parts/problem-alert.tsx';
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
  const { running, problem, run } = useAction();
  const [text, setText] = useState(String(maxSessionsUsual));
  const [whitelist, setWhitelist] = useState('');
  const max = parseMaxSessions(text);

  const submit = (): void => {
    if (max === undefined) return;
    run(async () => {
      const { value } = await client.configureSessionLimit(given.deploymentId, {
        maxSessionsPerUsername: max,
        whitelist: [...withNames([], whitelist)],
      });
      const told = `The session limit is configured and enabled. ${describeOver(value)}`;
      tell({ id: 'session-limit', kind: 'success', text: told.trim() });
      given.onConfigured();
    });
  };

  return (
    <Modal
      visible
      header="Configure Limit"
      closeAriaLabel="Close"
      onDismiss={given.onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={given.onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={running} disabled={max === undefined} onClick={submit}>
              Configure
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <SpaceBetween size="m">
          {problem?.status === 412 ? (
            <ProblemAlert
              problem={problem}
              what="configuring: somebody else has configured a limit meanwhile. Close this to see it"
            />
          ) : (
            <ProblemAlert problem={problem} what="configuring the limit" />
          )}
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
            <Textarea
              value={whitelist}
              rows={3}
              spellcheck={false}
              onChange={({ detail }) => setWhitelist(detail.value)}
            />
          </FormField>
        </SpaceBetween>
      </form>
    </Modal>
  );
}
