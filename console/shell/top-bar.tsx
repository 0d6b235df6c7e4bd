import Button from '@cloudscape-design/components/button';
import Select from '@cloudscape-design/components/select';
import { useState } from 'react';
import { useSessionStore } from '../session/use-session.ts';
import { type Appearance, chooseAppearance, currentAppearance } from './appearance.ts';
import { goTo } from './location.ts';

const appearances: readonly { readonly value: Appearance; readonly label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function TopBar({ signedIn, apiBaseUrl }: { readonly signedIn: boolean; readonly apiBaseUrl: string }) {
  const store = useSessionStore();
  const [appearance, setAppearance] = useState(currentAppearance);
  return (
    <header className="top">
      <a
        className="brand"
        href="/deployments"
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          goTo('/deployments');
        }}
      >
        <img src="/icon.svg" alt="" width="24" height="24" />
        Headcount
      </a>
      <div className="top-end awsui-context-top-navigation">
        <a className="top-link" href={`${apiBaseUrl}/docs`} aria-label="API reference">
          API
        </a>
        <Select
          selectedOption={appearances.find(({ value }) => value === appearance) ?? null}
          options={appearances}
          ariaLabel="Appearance"
          expandToViewport
          onChange={({ detail }) => {
            const chosen = appearances.find(({ value }) => value === detail.selectedOption.value);
            if (chosen === undefined) return;
            chooseAppearance(chosen.value);
            setAppearance(chosen.value);
          }}
        />
        {signedIn && <Button onClick={() => store.signOut()}>Sign out</Button>}
      </div>
    </header>
  );
}
