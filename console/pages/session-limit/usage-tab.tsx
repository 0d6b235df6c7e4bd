// Usage Details: every username with a live session, how many it holds, and when it was last rejected.

import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { Usage } from '../../client/types.ts';
import { ListTable } from '../../parts/list-table.tsx';
import { LiveRefresh } from '../../parts/refresh.tsx';
import { nameInText, shownName } from '../../parts/shown-name.ts';
import { UsageBar } from '../../parts/usage-bar.tsx';
import { When } from '../../parts/when.tsx';
import { useSession } from '../../session/use-session.ts';
import { goTo, replaceQuery, useQuery } from '../../shell/location.ts';
import { addressOf } from '../../shell/places.ts';
import { usePages } from '../../state/use-pages.ts';
import {
  isMinUsed,
  parseFilters,
  queryOf,
  type UsageFilters,
  usageQueryOf,
  withMinUsed,
  withOrder,
  withPrefix,
} from './usage-filters.ts';

const ClientsDialog = lazy(() => import('./clients-dialog.tsx'));

/** What is typed is asked for when the typing pauses. */
const pauseMs = 300;

function useTyped(stored: string, onSettled: (text: string) => void): readonly [string, (text: string) => void] {
  const [typed, setTyped] = useState(stored);
  const [seen, setSeen] = useState(stored);
  if (seen !== stored) {
    // The other filter, or a link, has changed it.
    setSeen(stored);
    setTyped(stored);
  }
  const latest = useRef(onSettled);
  useEffect(() => {
    latest.current = onSettled;
  });
  useEffect(() => {
    if (typed === stored) return;
    const timer = setTimeout(() => latest.current(typed), pauseMs);
    return () => clearTimeout(timer);
  }, [typed, stored]);
  return [typed, setTyped];
}

const eye = (
  <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d="M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8Z" />
    <circle cx="8" cy="8" r="2" />
  </svg>
);

const columnIds = { username: 'username', used: 'used' } as const;

export function UsageTab(given: { readonly deploymentId: string; readonly clientsOf: string | undefined }) {
  const { deploymentId, clientsOf } = given;
  const { client } = useSession();
  const query = useQuery();
  const filters = parseFilters(query);
  const show = (next: UsageFilters): void => replaceQuery(queryOf(next));
  const [prefix, setPrefix] = useTyped(filters.prefix, (text) => show(withPrefix(filters, text)));
  const [minUsed, setMinUsed] = useTyped(filters.minUsed, (text) => {
    if (isMinUsed(text)) show(withMinUsed(filters, text));
  });
  const asked = usageQueryOf(filters);
  const pages = usePages(`usage ${deploymentId} ${JSON.stringify(asked)}`, (cursor, signal) =>
    client.listUsage({ ...asked, deploymentId, cursor }, signal),
  );
  const search = query.size === 0 ? '' : `?${query}`;
  const usageAddress = addressOf({ page: 'session-limit', tab: 'usage', deploymentId });
  const clientsAddress = (username: string): string =>
    `${addressOf({ page: 'session-limit', tab: 'usage', clientsOf: username, deploymentId })}${search}`;
  const filtered = filters.prefix !== '' || filters.minUsed !== '';

  return (
    <>
      <ListTable<Usage>
        pages={pages}
        what="usage"
        idOf={(usage) => usage.username}
        header={
          <Header
            variant="h2"
            description={
              <>
                Usernames with live sessions.{' '}
                {pages.readAt !== undefined && (
                  <>
                    Read <When at={pages.readAt.toISOString()} />.
                  </>
                )}
                {filters.sort === 'used' && ' The order may lag by up to a minute; the numbers do not.'}
              </>
            }
            actions={<LiveRefresh of="usage" loading={pages.loading} onRefresh={pages.reload} />}
          >
            Usage Details
          </Header>
        }
        filter={
          <div className="filters">
            <FormField label="Username begins with">
              <Input
                type="search"
                value={prefix}
                clearAriaLabel="Clear"
                spellcheck={false}
                onChange={({ detail }) => setPrefix(detail.value)}
              />
            </FormField>
            <FormField label="At least so many sessions" errorText={!isMinUsed(minUsed) && 'A whole number, please.'}>
              <Input
                type="search"
                inputMode="numeric"
                value={minUsed}
                clearAriaLabel="Clear"
                onChange={({ detail }) => setMinUsed(detail.value)}
              />
            </FormField>
          </div>
        }
        sorting={{
          sortingColumn: { sortingField: filters.sort },
          sortingDescending: filters.descending,
          onSortingChange: ({ detail }) => {
            const sort = detail.sortingColumn.sortingField === columnIds.used ? 'used' : 'username';
            show(withOrder(filters, sort, detail.isDescending ?? false));
          },
        }}
        columns={[
          {
            id: columnIds.username,
            header: 'Username',
            sortingField: columnIds.username,
            isRowHeader: true,
            cell: ({ username, whitelisted, limit }) => (
              <SpaceBetween direction="horizontal" size="xs">
                <span className="name">{shownName(username)}</span>
                {whitelisted && <Badge color="green">whitelisted</Badge>}
                {limit === 'blocked' && <Badge color="red">blocked</Badge>}
              </SpaceBetween>
            ),
          },
          {
            id: columnIds.used,
            header: 'Sessions (used / limit)',
            sortingField: columnIds.used,
            minWidth: 200,
            cell: (usage) => <UsageBar usage={usage} />,
          },
          {
            id: 'lastRejectedAt',
            header: 'Last rejection',
            cell: ({ lastRejectedAt, rejections }) =>
              lastRejectedAt === undefined ? (
                <Box color="text-body-secondary">never</Box>
              ) : (
                <>
                  <When at={lastRejectedAt} />
                  {rejections !== undefined && (
                    <Box variant="small" display="block">
                      {rejections.toLocaleString()} in all
                    </Box>
                  )}
                </>
              ),
          },
          {
            id: 'clients',
            header: 'Clients',
            width: 100,
            cell: ({ username }) => (
              <Button
                variant="icon"
                iconSvg={eye}
                ariaLabel={`View clients of ${nameInText(username)}`}
                onClick={() => goTo(clientsAddress(username))}
              />
            ),
          },
        ]}
        empty={
          filtered ? (
            <SpaceBetween size="s">
              <span>No username matches.</span>
              <Button onClick={() => show({ ...filters, prefix: '', minUsed: '' })}>Clear the filter</Button>
            </SpaceBetween>
          ) : (
            'Nobody holds a session right now.'
          )
        }
      />
      <Suspense>
        {clientsOf !== undefined && (
          <ClientsDialog
            deploymentId={deploymentId}
            username={clientsOf}
            onClose={() => goTo(`${usageAddress}${search}`)}
            onKicked={pages.reload}
          />
        )}
      </Suspense>
    </>
  );
}
