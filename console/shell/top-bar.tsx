import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import { useState } from 'react';
import { useSessionStore } from '../session/use-session.ts';
import { type Appearance, chooseAppearance, currentAppearance } from './appearance.ts';
import { goTo } from './location.ts';

const appearances: readonly { readonly id: Appearance; readonly text: string }[] = [
  { id: 'system', text: 'As the system' },
  { id: 'light', text: 'Light' },
  { id: 'dark', text: 'Dark' },
];

export function TopBar({ signedIn, apiBaseUrl }: { readonly signedIn: boolean; readonly apiBaseUrl: string }) {
  const store = useSessionStore();
  const [appearance, setAppearance] = useState(currentAppearance);
  const choose = (id: string): void => {
    const chosen = appearances.find((one) => one.id === id);
    if (chosen !== undefined) {
      chooseAppearance(chosen.id);
      setAppearance(chosen.id);
    } else if (id === 'sign-out') store.signOut();
  };
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
        <ButtonDropdown
          variant="normal"
          expandToViewport
          items={[
            {
              text: 'Appearance',
              items: appearances.map(({ id, text }) => ({
                id,
                text,
                itemType: 'checkbox' as const,
                checked: id === appearance,
              })),
            },
            {
              id: 'docs',
              text: 'API reference',
              href: `${apiBaseUrl}/docs`,
              external: true,
              externalIconAriaLabel: '(new tab)',
            },
            ...(signedIn ? [{ id: 'sign-out', text: 'Sign out' }] : []),
          ]}
          onItemClick={({ detail }) => choose(detail.id)}
        >
          Settings
        </ButtonDropdown>
      </div>
    </header>
  );
}
