import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { useAction } from '../state/use-action.ts';
import { useSessionStore } from './use-session.ts';

export function TokenForm() {
  const store = useSessionStore();
  const [token, setToken] = useState('');
  const { running, problem, run } = useAction();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        run(() => store.signInWithToken(token.trim()));
      }}
    >
      <SpaceBetween size="m">
        <FormField label="API token" description="It is kept in the memory of this page only.">
          <Input
            type="password"
            value={token}
            onChange={({ detail }) => setToken(detail.value)}
            autoComplete={false}
            autoFocus
          />
        </FormField>
        <ProblemAlert problem={problem} what="the sign-in" />
        <Button variant="primary" loading={running} disabled={token.trim() === ''}>
          Sign in
        </Button>
      </SpaceBetween>
    </form>
  );
}
