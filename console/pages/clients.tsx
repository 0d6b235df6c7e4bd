// Monitor: one client by its id.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';
import type { Client } from '../client/types.ts';
import { KickClient } from '../parts/kick-client.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { Refresh } from '../parts/refresh.tsx';
import { SessionState } from '../parts/session-state.tsx';
import { shownName } from '../parts/shown-name.ts';
import { shownSeconds } from '../parts/shown-seconds.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { follow, goToPlace } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';
import { useLoad } from '../state/use-load.ts';

const protocols: Readonly<Record<NonNullable<Client['protocolVersion']>, string>> = {
  3: 'MQTT 3.1',
  4: 'MQTT 3.1.1',
  5: 'MQTT 5',
};

export default function Clients(given: { readonly deploymentId: string; readonly clientId: string | undefined }) {
  const { deploymentId, clientId } = given;
  const [wanted, setWanted] = useState(clientId ?? '');
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="One client of this deployment, by its client id.">
        Client Details
      </Header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted !== '') goToPlace({ page: 'clients', clientId: wanted, deploymentId });
        }}
      >
        <FormField label="Client ID" secondaryControl={<Button disabled={wanted === ''}>Show</Button>}>
          <Input
            type="search"
            value={wanted}
            spellcheck={false}
            clearAriaLabel="Clear"
            onChange={({ detail }) => setWanted(detail.value)}
          />
        </FormField>
      </form>
      {clientId !== undefined && <Details key={clientId} deploymentId={deploymentId} clientId={clientId} />}
    </SpaceBetween>
  );
}

function Details({ deploymentId, clientId }: { readonly deploymentId: string; readonly clientId: string }) {
  const { client, may } = useSession();
  const found = useLoad(`client ${deploymentId} ${clientId}`, (signal) =>
    client.getClient(deploymentId, clientId, signal),
  );
  const [kicking, setKicking] = useState(false);
  const { data, problem } = found;
  const gone = problem?.code === 'client.not_found';
  const shown = shownName(clientId);
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Refresh of="the client" loading={found.loading} onRefresh={found.reload} />
              {data !== undefined && !gone && may('sessions:kick') && (
                <Button onClick={() => setKicking(true)}>Kick</Button>
              )}
            </SpaceBetween>
          }
        >
          <span className="name">{shown}</span>
        </Header>
      }
    >
      {gone ? (
        <Box padding="s">
          No client of this id holds a live session. It may have disconnected, expired, or never been.
        </Box>
      ) : (
        <SpaceBetween size="m">
          <ProblemAlert problem={problem} what="the client" onRetry={found.reload} />
          {data === undefined && found.loading && (
            <div role="status">
              <StatusIndicator type="loading">Loading the client</StatusIndicator>
            </div>
          )}
          {data !== undefined && (
            <KeyValuePairs
              columns={3}
              items={[
                { label: 'State', value: <SessionState state={data.state} /> },
                {
                  label: 'Username',
                  value: (
                    <Link
                      href={addressOf({
                        page: 'session-limit',
                        tab: 'usage',
                        clientsOf: data.username,
                        deploymentId,
                      })}
                      onFollow={follow}
                    >
                      <span className="name">{shownName(data.username)}</span>
                    </Link>
                  ),
                },
                {
                  label: 'Protocol',
                  value: data.protocolVersion === undefined ? '–' : protocols[data.protocolVersion],
                },
                { label: 'Connected', value: <When at={data.connectedAt} /> },
                { label: 'Disconnected', value: <When at={data.disconnectedAt} /> },
                { label: 'Expires', value: <When at={data.expiresAt} /> },
                { label: 'Address', value: data.ipAddress ?? '–' },
                {
                  label: 'Session expiry',
                  value: data.sessionExpirySeconds === undefined ? '–' : shownSeconds(data.sessionExpirySeconds),
                },
              ]}
            />
          )}
        </SpaceBetween>
      )}
      {kicking && (
        <KickClient
          deploymentId={deploymentId}
          clientId={clientId}
          onKicked={found.reload}
          onClose={() => setKicking(false)}
        />
      )}
    </Container>
  );
}
