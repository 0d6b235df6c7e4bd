// Asks before something is done that other people feel. What cannot be undone has to be typed.

import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';
import { useAction } from '../state/use-action.ts';
import { DialogFrame } from './dialog-frame.tsx';
import { ProblemAlert } from './problem-alert.tsx';

export interface ConfirmDialogProps {
  readonly title: string;
  readonly children: ReactNode;
  /** The button: what is done, as `Delete Limit`. */
  readonly action: string;
  /** What is done, as it stands in a sentence about its failure. */
  readonly what: string;
  /** Undefined: nothing has to be typed. */
  readonly typed?: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function ConfirmDialog({ title, children, action, what, typed, onConfirm, onClose }: ConfirmDialogProps) {
  const [text, setText] = useState('');
  const { running, problem, run } = useAction();
  const ready = typed === undefined || text === typed;
  const confirm = (): void => {
    if (!ready) return;
    run(async () => {
      await onConfirm();
      onClose();
    });
  };
  return (
    <DialogFrame title={title} submit={action} ready={ready} running={running} onSubmit={confirm} onClose={onClose}>
      <SpaceBetween size="m">
        {typed === undefined ? children : <Alert type="warning">{children}</Alert>}
        {typed !== undefined && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              confirm();
            }}
          >
            <FormField label={`To confirm, type ${typed}`}>
              <Input
                value={text}
                onChange={({ detail }) => setText(detail.value)}
                placeholder={typed}
                autoComplete={false}
                spellcheck={false}
              />
            </FormField>
          </form>
        )}
        <ProblemAlert problem={problem} what={what} />
      </SpaceBetween>
    </DialogFrame>
  );
}
