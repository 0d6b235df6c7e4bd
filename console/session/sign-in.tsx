import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { useAction } from '../state/use-action.ts';
import type { ConsoleConfig } from './config.ts';
import { TokenForm } from './token-form.tsx';
import { useSessionStore } from './use-session.ts';

export function SignIn({ config }: { readonly config: ConsoleConfig }) {
  const store = useSessionStore();
  const { running, problem, run } = useAction();
  const { signIn } = config;
  return (
    <div className="narrow">
      <Container header={<Header variant="h1">Sign in</Header>}>
        <SpaceBetween size="m">
          {signIn.kind === 'cognito' || signIn.apiToken !== undefined ? (
            <>
              <Box>You are signed out.</Box>
              <ProblemAlert problem={problem} what="the sign-in" />
              <Button variant="primary" loading={running} onClick={() => run(() => store.signInAgain())}>
                {signIn.kind === 'cognito' ? 'Sign in' : 'Sign in with the local API token'}
              </Button>
            </>
          ) : null}
          {signIn.kind === 'token' && <TokenForm />}
        </SpaceBetween>
      </Container>
    </div>
  );
}
