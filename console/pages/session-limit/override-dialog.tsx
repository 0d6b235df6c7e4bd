import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import { useState } from 'react';
import type { Override, OwnLimit } from '../../client/types.ts';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { nameInText } from '../../parts/shown-name.ts';
import { useSession } from '../../session/use-session.ts';
import { useNotices } from '../../state/notices.tsx';
import { problemOf } from '../../state/problems.ts';
import { useAction } from '../../state/use-action.ts';
import { maxSessionsRule, parseMaxSessions } from './max-sessions.ts';

type Kind = 'number' | 'unlimited' | 'blocked';

const kinds: { value: Kind; label: string; description: string }[] = [
  { value: 'number', label: 'A number of sessions', description: "In place of the deployment's limit." },
  { value: 'unlimited', label: 'Unlimited', description: 'Counted and listed, never rejected for quota.' },
  {
    value: 'blocked',
    label: 'Blocked',
    description: 'Every CONNECT is rejected while the limit is enabled, and who is connected is disconnected.',
  },
];

function limitOf(kind: Kind, text: string): OwnLimit | undefined {
  return kind === 'number' ? parseMaxSessions(text) : kind;
}

export function OverrideDialog(given: {
  readonly deploymentId: string;
  /** Undefined: a new one. */
  readonly override: Override | undefined;
  onClose(): void;
  onSaved(): void;
}) {
  const { deploymentId, override } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [username, setUsername] = useState(override?.username ?? '');
  const [kind, setKind] = useState<Kind>(typeof override?.limit === 'string' ? override.limit : 'number');
  const [text, setText] = useState(typeof override?.limit === 'number' ? String(override.limit) : '');
  const [theirs, setTheirs] = useState<Override | undefined>();
  const limit = limitOf(kind, text);

  const save = async (expected: Override | undefined): Promise<void> => {
    if (limit === undefined || username === '') return;
    try {
      if (expected === undefined) await client.putOverride(deploymentId, username, limit, { mustBeNew: true });
      else {
        // Read again for its version: what the list showed may be older than that.
        const { value, etag } = await client.getOverride(deploymentId, username);
        if (value.limit !== expected.limit) {
          setTheirs(value);
          return;
        }
        await client.putOverride(deploymentId, username, limit, etag === undefined ? {} : { ifMatch: etag });
      }
      tell({ id: 'override', kind: 'success', text: `The override of ${nameInText(username)} is saved.` });
      given.onSaved();
    } catch (error) {
      const { status, code } = problemOf(error);
      if (status === 412) setTheirs((await client.getOverride(deploymentId, username)).value);
      // Removed meanwhile: saving makes it anew.
      else if (code === 'override.not_found' && expected !== undefined) {
        await client.putOverride(deploymentId, username, limit, { mustBeNew: true });
        given.onSaved();
      } else throw error;
    }
  };

  return (
    <FormDialog
      title={override === undefined ? 'Add override' : 'Edit override'}
      submit={theirs === undefined ? 'Save' : 'Replace it by mine'}
      what="saving the override"
      ready={limit !== undefined && username !== ''}
      action={action}
      notice={
        theirs !== undefined && (
          <div role="alert">
            <Alert type="warning" header="This username's override was changed meanwhile">
              It is <b>{theirs.limit}</b> now. Yours is <b>{limit ?? text}</b>. Replace it, or cancel to keep it.
            </Alert>
          </div>
        )
      }
      onClose={given.onClose}
      onSubmit={() => save(theirs ?? override)}
    >
      <FormField label="Username">
        <Input
          value={username}
          readOnly={override !== undefined}
          spellcheck={false}
          autoComplete={false}
          onChange={({ detail }) => {
            setUsername(detail.value);
            setTheirs(undefined);
          }}
        />
      </FormField>
      <FormField label="Limit">
        <RadioGroup
          value={kind}
          items={kinds}
          onChange={({ detail }) => setKind(kinds.find((one) => one.value === detail.value)?.value ?? 'number')}
        />
      </FormField>
      {kind === 'number' && (
        <FormField
          label="Sessions"
          constraintText={maxSessionsRule}
          errorText={text !== '' && limit === undefined && maxSessionsRule}
        >
          <Input value={text} inputMode="numeric" onChange={({ detail }) => setText(detail.value)} />
        </FormField>
      )}
    </FormDialog>
  );
}
