// The console: a single page over the HTTP API (product contract, section 4). It knows the API's schema and nothing
// else of the product.

import '@cloudscape-design/global-styles/index.css';
import './console.css';
import { I18nProvider } from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createSessionStore } from './session/session.ts';
import { SessionContext } from './session/use-session.ts';
import { startAppearance } from './shell/appearance.ts';
import { NoticesProvider } from './state/notices.tsx';

startAppearance();
const session = createSessionStore();
void session.start();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has a root');
createRoot(root).render(
  <StrictMode>
    <I18nProvider locale="en" messages={[messages]}>
      <SessionContext value={session}>
        <NoticesProvider>
          <App />
        </NoticesProvider>
      </SessionContext>
    </I18nProvider>
  </StrictMode>,
);
