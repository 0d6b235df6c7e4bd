// The frame: top bar, side bar, where one is, notices, and the page.

import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import type { SessionState } from '../session/session.ts';
import { SignInAgain } from '../session/sign-in-again.tsx';
import { useNotices } from '../state/notices.tsx';
import { Crumbs } from './crumbs.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { usePathname } from './location.ts';
import { PageOf } from './page-of.tsx';
import { isInside, parsePlace } from './places.ts';
import { SideBar } from './side-bar.tsx';
import { titleOf } from './titles.ts';
import { TopBar } from './top-bar.tsx';

// Nobody has been told anything yet when the page is shown first.
const NoticeBar = lazy(async () => ({ default: (await import('./notice-bar.tsx')).NoticeBar }));

export function Bare({ children, apiBaseUrl = '' }: { readonly children: ReactNode; readonly apiBaseUrl?: string }) {
  return (
    <>
      <TopBar signedIn={false} apiBaseUrl={apiBaseUrl} />
      <main className="center">{children}</main>
    </>
  );
}

export function Frame({ state }: { readonly state: SessionState & { kind: 'signed-in' } }) {
  const place = parsePlace(usePathname());
  const inside = isInside(place);
  const known = place.page !== 'not-found';
  const { notices } = useNotices();
  const [menuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const page = `${place.page} ${inside ? place.deploymentId : ''}`;
  const shown = useRef(page);

  useEffect(() => {
    document.title = `${titleOf(place)}${inside ? ` · ${place.deploymentId}` : ''} · Headcount`;
    if (shown.current === page) return;
    // Who cannot see that the page has changed is taken to it; the keyboard goes on from there.
    shown.current = page;
    setMenuOpen(false);
    main.current?.focus();
  }, [page, place, inside]);

  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <TopBar signedIn apiBaseUrl={state.config.apiBaseUrl} />
      <div className={known ? 'frame' : 'frame frame-alone'}>
        {known && (
          <div>
            <div className="menu-button">
              <Button
                iconName="menu"
                variant="link"
                ariaExpanded={menuOpen}
                ariaControls="side"
                onClick={() => setMenuOpen(!menuOpen)}
              >
                Menu
              </Button>
            </div>
            <div id="side" className={menuOpen ? 'side' : 'side side-closed'}>
              <SideBar place={place} />
            </div>
          </div>
        )}
        <main id="main" ref={main} tabIndex={-1}>
          <SpaceBetween size="m">
            <Crumbs place={place} />
            <Suspense>{notices.length > 0 && <NoticeBar />}</Suspense>
            <ErrorBoundary key={page}>
              <PageOf place={place} />
            </ErrorBoundary>
          </SpaceBetween>
        </main>
      </div>
      {state.expired && <SignInAgain />}
    </>
  );
}
