// User Session Limit of a deployment: the empty state, then the tabs.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Tabs from '@cloudscape-design/components/tabs';
import { lazy, Suspense, useState } from 'react';
import type { SessionLimit, Versioned } from '../../client/types.ts';
import { ProblemAlert } from '../../parts/problem-alert.tsx';
import { useSession } from '../../session/use-session.ts';
import { goToPlace } from '../../shell/location.ts';
import { addressOf, type LimitTab } from '../../shell/places.ts';
import { type Loaded, useLoad } from '../../state/use-load.ts';
import { LimitActions } from './limit-actions.tsx';
import { UsageTab } from './usage-tab.tsx';

const ConfigureDialog = lazy(() => import('./configure-dialog.tsx'));
const SettingsTab = lazy(() => import('./settings-tab.tsx'));
const OverridesTab = lazy(() => import('./overrides-tab.tsx'));

interface Given {
  readonly deploymentId: string;
  readonly tab: LimitTab;
  readonly clientsOf: string | undefined;
}

export default function SessionLimitPage(given: Given) {
  const { deploymentId } = given;
  const { client } = useSession();
  const limit = useLoad(`session-limit ${deploymentId}`, (signal) => client.getSessionLimit(deploymentId, signal));
  if (limit.problem?.code === 'session_limit.not_configured')
    return <Unconfigured deploymentId={deploymentId} onConfigured={limit.reload} />;
  if (limit.data === undefined) {
    if (limit.problem !== undefined)
      return <ProblemAlert problem={limit.problem} what="the session limit" onRetry={limit.reload} />;
    return (
      <Box textAlign="center" padding="xxl">
        <div role="status">
          <Spinner /> Loading the session limit
        </div>
      </Box>
    );
  }
  return <Configured {...given} limit={limit} stored={limit.data} />;
}

function Unconfigured(given: { readonly deploymentId: string; onConfigured(): void }) {
  const { may } = useSession();
  const [configuring, setConfiguring] = useState(false);
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h1">User Session Limit</Header>}>
        <Box textAlign="center" padding={{ vertical: 'xxl' }}>
          <SpaceBetween size="m">
            <Box variant="h2">No session limit yet</Box>
            <Box color="text-body-secondary">
              A session limit says how many MQTT sessions one username may hold on this deployment. Sessions are counted
              already, so a limit is right from its first moment.
            </Box>
            {may('settings:write') ? (
              <Button variant="primary" onClick={() => setConfiguring(true)}>
                Configure Limit
              </Button>
            ) : (
              <Box color="text-body-secondary">You have no permission to configure one.</Box>
            )}
          </SpaceBetween>
        </Box>
      </Container>
      <Suspense>
        {configuring && (
          <ConfigureDialog
            deploymentId={given.deploymentId}
            onClose={() => setConfiguring(false)}
            onConfigured={() => {
              setConfiguring(false);
              given.onConfigured();
            }}
          />
        )}
      </Suspense>
    </SpaceBetween>
  );
}

function Configured(
  given: Given & {
    readonly limit: Loaded<Versioned<SessionLimit>>;
    readonly stored: Versioned<SessionLimit>;
  },
) {
  const { deploymentId, tab, clientsOf, limit, stored } = given;
  const { enabled, maxSessionsPerUsername, whitelist } = stored.value;
  const inTab = (id: LimitTab) => addressOf({ page: 'session-limit', tab: id, deploymentId });
  return (
    <SpaceBetween size="m">
      <Header
        variant="h1"
        description={
          <SpaceBetween direction="horizontal" size="s">
            <StatusIndicator type={enabled ? 'success' : 'stopped'}>{enabled ? 'Enabled' : 'Disabled'}</StatusIndicator>
            <span>
              At most {maxSessionsPerUsername.toLocaleString()} {maxSessionsPerUsername === 1 ? 'session' : 'sessions'}{' '}
              per username
              {whitelist.length > 0 && `, ${whitelist.length.toLocaleString()} whitelisted`}
            </span>
          </SpaceBetween>
        }
        actions={<LimitActions deploymentId={deploymentId} stored={stored} onChanged={limit.reload} />}
      >
        User Session Limit
      </Header>
      {limit.problem !== undefined && (
        <ProblemAlert problem={limit.problem} what="the session limit" onRetry={limit.reload} />
      )}
      <Tabs
        ariaLabel="User Session Limit"
        activeTabId={tab}
        onChange={({ detail }) => {
          const chosen = (['usage', 'settings', 'overrides'] as const).find((id) => id === detail.activeTabId);
          if (chosen !== undefined) goToPlace({ page: 'session-limit', tab: chosen, deploymentId });
        }}
        tabs={[
          {
            id: 'usage',
            label: 'Usage Details',
            href: inTab('usage'),
            content: tab === 'usage' && <UsageTab deploymentId={deploymentId} clientsOf={clientsOf} />,
          },
          {
            id: 'settings',
            label: 'Settings',
            href: inTab('settings'),
            // Kept while another tab is open: what was typed there stays.
            contentRenderStrategy: 'lazy',
            content: (
              <Suspense>
                <SettingsTab deploymentId={deploymentId} stored={stored} onChanged={limit.reload} />
              </Suspense>
            ),
          },
          {
            id: 'overrides',
            label: 'Overrides',
            href: inTab('overrides'),
            content: tab === 'overrides' && (
              <Suspense>
                <OverridesTab deploymentId={deploymentId} />
              </Suspense>
            ),
          },
        ]}
      />
    </SpaceBetween>
  );
}
