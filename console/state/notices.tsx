// What the console has to tell about things done: they outlast the page that they were asked for on.

import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

export interface Notice {
  readonly id: string;
  readonly kind: 'success' | 'info' | 'warning' | 'error';
  readonly text: string;
  /** Work under way, in percent; undefined: how far is not known. */
  readonly progress?: { readonly percent: number | undefined; readonly detail: string };
}

interface Notices {
  readonly notices: readonly Notice[];
  /** Replaces the one with the same id. */
  tell(notice: Notice): void;
  dismiss(id: string): void;
}

const NoticesContext = createContext<Notices | undefined>(undefined);

export function NoticesProvider({ children }: { readonly children: ReactNode }) {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const dismiss = useCallback((id: string) => setNotices((before) => before.filter((one) => one.id !== id)), []);
  const tell = useCallback((notice: Notice) => {
    setNotices((before) => [notice, ...before.filter((one) => one.id !== notice.id)].slice(0, 5));
  }, []);
  const value = useMemo(() => ({ notices, tell, dismiss }), [notices, tell, dismiss]);
  return <NoticesContext value={value}>{children}</NoticesContext>;
}

export function useNotices(): Notices {
  const notices = useContext(NoticesContext);
  if (notices === undefined) throw new Error('no notices around this component');
  return notices;
}
