// A new MQTT user, or a new password of one. A generated password is shown once, until the person closes it.

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { CopyBlock } from '../parts/copy-block.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { nameInText } from '../parts/shown-name.ts';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { useAction } from '../state/use-action.ts';

export function MqttUserDialog(given: {
  readonly deploymentId: string;
  /** Undefined: a new one. */
  readonly username: string | undefined;
  onClose(): void;
  onSaved(): void;
}) {
  const { deploymentId, onClose, onSaved } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [username, setUsername] = useState(given.username ?? '');
  const [generate, setGenerate] = useState(true);
  const [password, setPassword] = useState('');
  const [generated, setGenerated] = useState<string | undefined>();
  const isNew = given.username === undefined;

  if (generated !== undefined)
    return (
      <Modal
        visible
        header={`Password of ${nameInText(username)}`}
        closeAriaLabel="Close"
        onDismiss={({ detail }) => {
          // A click beside it must not lose what nobody can show again.
          if (detail.reason !== 'overlay') onClose();
        }}
        footer={
          <Box float="right">
            <Button variant="primary" onClick={onClose}>
              I have stored it
            </Button>
          </Box>
        }
      >
        <SpaceBetween size="m">
          <Alert type="warning">This password is shown this once. Nobody can read it again; store it now.</Alert>
          <CopyBlock text={generated} what="password" />
        </SpaceBetween>
      </Modal>
    );
  return (
    <FormDialog
      title={isNew ? 'Add MQTT user' : `New password for ${nameInText(username)}`}
      submit={isNew ? 'Add' : 'Set password'}
      what="setting the password"
      ready={username !== '' && (generate || password !== '')}
      action={action}
      onClose={onClose}
      onSubmit={async () => {
        const answer = await client.putCredential(deploymentId, username, generate ? undefined : password);
        onSaved();
        if (answer === undefined) {
          tell({ id: 'mqtt-user', kind: 'success', text: `The password of ${nameInText(username)} is set.` });
          onClose();
        } else setGenerated(answer.password);
      }}
    >
      {isNew && (
        <FormField
          label="Username"
          constraintText='1 to 256 bytes, without "?". Of a user that is there already, the password is replaced.'
        >
          <Input
            value={username}
            autoComplete={false}
            spellcheck={false}
            onChange={({ detail }) => setUsername(detail.value)}
          />
        </FormField>
      )}
      <FormField label="Password">
        <RadioGroup
          value={generate ? 'generate' : 'choose'}
          items={[
            { value: 'generate', label: 'Generate one', description: 'Strong, and shown once.' },
            { value: 'choose', label: 'Choose one' },
          ]}
          onChange={({ detail }) => setGenerate(detail.value === 'generate')}
        />
      </FormField>
      {!generate && (
        <FormField label="Chosen password">
          <Input
            type="password"
            value={password}
            autoComplete="new-password"
            onChange={({ detail }) => setPassword(detail.value)}
          />
        </FormField>
      )}
    </FormDialog>
  );
}
