// How to connect: commands to copy, for this deployment as it stands.

import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';
import type { Deployment } from '../client/types.ts';
import { CopyBlock } from '../parts/copy-block.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { useSession } from '../session/use-session.ts';
import { useLoad } from '../state/use-load.ts';
import { buildHelp, type Wanted } from './connect-commands.ts';

export default function Connect({ deploymentId }: { readonly deploymentId: string }) {
  const { client } = useSession();
  const found = useLoad(`deployment ${deploymentId}`, (signal) => client.getDeployment(deploymentId, signal));
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="Commands to copy for this deployment.">
        How to Connect
      </Header>
      <ProblemAlert problem={found.problem} what="the deployment" onRetry={found.reload} />
      {found.data === undefined && found.loading && (
        <div role="status">
          <StatusIndicator type="loading">Loading the deployment</StatusIndicator>
        </div>
      )}
      {found.data !== undefined && <Commands deployment={found.data} />}
    </SpaceBetween>
  );
}

function Commands({ deployment }: { readonly deployment: Deployment }) {
  const { mqtt } = useSession().config;
  const [wanted, setWanted] = useState<Wanted>({ username: '', clientId: 'my-first-client' });
  const { address, commands, notes } = buildHelp(deployment, mqtt, wanted);
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Who connects</Header>}>
        <SpaceBetween size="m">
          <div className="filters">
            <FormField label="MQTT username" description="One of this deployment's MQTT users.">
              <Input
                value={wanted.username}
                placeholder="USERNAME"
                spellcheck={false}
                autoComplete={false}
                onChange={({ detail }) => setWanted({ ...wanted, username: detail.value })}
              />
            </FormField>
            <FormField label="Client ID" description="Each client needs its own.">
              <Input
                value={wanted.clientId}
                spellcheck={false}
                autoComplete={false}
                onChange={({ detail }) => setWanted({ ...wanted, clientId: detail.value })}
              />
            </FormField>
          </div>
          <KeyValuePairs columns={3} items={address.map(({ label, value }) => ({ label, value }))} />
        </SpaceBetween>
      </Container>
      {notes.map((note) => (
        <Alert key={note} type="info">
          {note}
        </Alert>
      ))}
      {commands.map(({ title, about, text }) => (
        <Container
          key={title}
          header={
            <Header variant="h2" description={about}>
              {title}
            </Header>
          }
        >
          <CopyBlock text={text} what={`the command: ${title}`} />
        </Container>
      ))}
    </SpaceBetween>
  );
}
