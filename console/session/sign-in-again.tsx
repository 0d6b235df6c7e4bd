// The sign-in has expired. The page below stays as it is, with everything typed into it.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { useAction } from '../state/use-action.ts';
import { TokenForm } from './token-form.tsx';
import { useSessionState, useSessionStore } from './use-session.ts';

export function SignInAgain() {
  const store = useSessionStore();
  const state = useSessionState();
  const { running, problem, run } = useAction();
  const byToken = 'config' in state && state.config.signIn.kind === 'token';
  return (
    <Modal visible header="Your sign-in has expired" closeAriaLabel="Close" onDismiss={() => undefined}>
      <SpaceBetween size="m">
        <Box>Sign in again to go on. Nothing that you typed is lost.</Box>
        {byToken ? (
          <TokenForm />
        ) : (
          <>
            <ProblemAlert problem={problem} what="the sign-in" />
            <Button variant="primary" loading={running} onClick={() => run(() => store.signInAgain())}>
              Sign in again
            </Button>
          </>
        )}
      </SpaceBetween>
    </Modal>
  );
}
