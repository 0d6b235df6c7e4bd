import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Spinner from '@cloudscape-design/components/spinner';
import { SignIn } from './session/sign-in.tsx';
import { useSessionState, useSessionStore } from './session/use-session.ts';
import { Bare, Frame } from './shell/frame.tsx';

export function App() {
  const state = useSessionState();
  const store = useSessionStore();
  switch (state.kind) {
    case 'starting':
      return (
        <main className="center" aria-label="Headcount is starting">
          <Spinner size="large" />
        </main>
      );
    case 'failed':
      return (
        <Bare>
          <Alert
            type="error"
            header="The console could not start"
            action={<Button onClick={() => void store.start()}>Try again</Button>}
          >
            {state.reason}
          </Alert>
        </Bare>
      );
    case 'handed-over':
      return <Bare>You are signed in. This window can be closed.</Bare>;
    case 'signed-out':
      return (
        <Bare apiBaseUrl={state.config.apiBaseUrl}>
          <SignIn config={state.config} />
        </Bare>
      );
    case 'signed-in':
      return <Frame state={state} />;
  }
}
