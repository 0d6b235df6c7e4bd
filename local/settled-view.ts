// What the last run left, as it is settled, before the table says so. A start does not wait until thousands of records
// are written: whoever reads one meanwhile, through the store that is made here, reads what it becomes.

import { freedBesideRecount } from '../shared/app/counter/recount.ts';
import type { Session } from '../shared/domain/session/record.ts';
import type { SessionStore } from '../shared/ports/common/session-store.ts';
import type { Names, Stored } from '../shared/ports/presence/sessions.ts';

export interface SettledView {
  /** From here on the record that was read is read as `settled`, until another one is written. */
  settle(stored: Stored<Session>, settled: Session): void;
  /** The record as it counts. */
  read(stored: Stored<Session>): Stored<Session>;
  /** Every reading of sessions goes through the view. A write says which revision it has read, so it needs none. */
  around(store: SessionStore): SessionStore;
  /** Nobody can be on the way with an unsettled record any more. */
  forget(): void;
}

export function createSettledView(): SettledView {
  const settled = new Map<string, Stored<Session>>();

  const read = (stored: Stored<Session>): Stored<Session> => {
    if (settled.size === 0) return stored;
    const known = settled.get(keyOf(stored.value));
    return known?.revision === stored.revision ? known : stored;
  };
  const readIfAny = (stored: Stored<Session> | undefined) => (stored === undefined ? undefined : read(stored));

  return {
    read,
    settle({ revision }, session) {
      const value = freedBesideRecount(session);
      settled.set(keyOf(value), { value, revision });
    },
    around: (store) => ({
      ...store,
      readSession: async (names) => readIfAny(await store.readSession(names)),
      async readForConnect(names, lookFor) {
        const view = await store.readForConnect(names, lookFor);
        return { ...view, session: readIfAny(view.session) };
      },
      async listSessions(deploymentId, username, page) {
        const { items, more } = await store.listSessions(deploymentId, username, page);
        return { items: items.map(read), more };
      },
      async putSession(session, expected) {
        const put = await store.putSession(session, expected);
        return put.kind === 'changed' ? { ...put, current: readIfAny(put.current) } : put;
      },
    }),
    forget: () => settled.clear(),
  };
}

const keyOf = ({ deploymentId, username, clientId }: Names): string =>
  JSON.stringify([deploymentId, username, clientId]);
