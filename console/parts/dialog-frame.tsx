// The popup around a question or a form: its title, and below it Cancel and the one thing that can be done.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';

export function DialogFrame(given: {
  readonly title: string;
  /** The button: what is done, as `Delete Limit`. */
  readonly submit: string;
  readonly ready: boolean;
  readonly running: boolean;
  readonly children: ReactNode;
  onSubmit(): void;
  onClose(): void;
}) {
  const { title, submit, ready, running, children, onSubmit, onClose } = given;
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
            <Button variant="primary" loading={running} disabled={!ready} onClick={onSubmit}>
              {submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      {children}
    </Modal>
  );
}
