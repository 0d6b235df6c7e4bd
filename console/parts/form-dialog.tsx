// A form in a popup. A failure leaves it open as it was typed.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import type { Action } from '../state/use-action.ts';
import { ProblemAlert } from './problem-alert.tsx';

export function FormDialog(given: {
  readonly title: string;
  /** The button: what is done. */
  readonly submit: string;
  /** What is done, as it stands in a sentence about its failure. */
  readonly what: string;
  readonly ready: boolean;
  readonly action: Action;
  readonly children: ReactNode;
  onSubmit(): Promise<void>;
  onClose(): void;
}) {
  const { title, submit, what, ready, action, children, onSubmit, onClose } = given;
  const go = (): void => {
    if (ready) action.run(onSubmit);
  };
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={action.running} disabled={!ready} onClick={go}>
              {submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <SpaceBetween size="m">
          <ProblemAlert problem={action.problem} what={what} />
          {children}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
