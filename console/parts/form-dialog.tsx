// A form in a popup. A failure leaves it open as it was typed.

import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import type { Action } from '../state/use-action.ts';
import { DialogFrame } from './dialog-frame.tsx';
import { ProblemAlert } from './problem-alert.tsx';

export function FormDialog(given: {
  readonly title: string;
  /** The button: what is done. */
  readonly submit: string;
  /** What is done, as it stands in a sentence about its failure. */
  readonly what: string;
  readonly ready: boolean;
  readonly action: Action;
  /** What has to be read before anything else in it. */
  readonly notice?: ReactNode;
  readonly children: ReactNode;
  onSubmit(): Promise<void>;
  onClose(): void;
}) {
  const { title, submit, what, ready, action, notice, children, onSubmit, onClose } = given;
  const go = (): void => {
    if (ready) action.run(onSubmit);
  };
  return (
    <DialogFrame title={title} submit={submit} ready={ready} running={action.running} onSubmit={go} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <SpaceBetween size="m">
          {notice}
          <ProblemAlert problem={action.problem} what={what} />
          {children}
        </SpaceBetween>
      </form>
    </DialogFrame>
  );
}
