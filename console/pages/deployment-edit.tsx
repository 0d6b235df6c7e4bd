import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Deployment, DeploymentChange } from '../client/types.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { useAction } from '../state/use-action.ts';
import { parseSessionExpiry, sessionExpiryRule } from './session-expiry.ts';

export default function DeploymentEdit(given: { readonly deployment: Deployment; onClose(): void; onSaved(): void }) {
  const { deployment } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [name, setName] = useState(deployment.name);
  const [host, setHost] = useState(deployment.mqttHost ?? '');
  const [expiry, setExpiry] = useState(String(deployment.sessionExpirySeconds));
  const [takeover, setTakeover] = useState(deployment.clientIdTakeover === 'allow');
  const [admit, setAdmit] = useState(deployment.onStoreFailure === 'admit');
  const [suspended, setSuspended] = useState(deployment.status === 'suspended');
  const seconds = parseSessionExpiry(expiry);

  const wanted = {
    name: name.trim(),
    mqttHost: host.trim() === '' ? null : host.trim(),
    sessionExpirySeconds: seconds ?? 0,
    clientIdTakeover: takeover ? 'allow' : 'deny',
    onStoreFailure: admit ? 'admit' : 'reject',
    status: suspended ? 'suspended' : 'active',
  } as const;
  // Only what was changed here is sent: what somebody else changes meanwhile stays.
  const change: DeploymentChange = {
    ...(wanted.name === deployment.name ? {} : { name: wanted.name }),
    ...(wanted.mqttHost === deployment.mqttHost ? {} : { mqttHost: wanted.mqttHost }),
    ...(wanted.sessionExpirySeconds === deployment.sessionExpirySeconds
      ? {}
      : { sessionExpirySeconds: wanted.sessionExpirySeconds }),
    ...(wanted.clientIdTakeover === deployment.clientIdTakeover ? {} : { clientIdTakeover: wanted.clientIdTakeover }),
    ...(wanted.onStoreFailure === deployment.onStoreFailure ? {} : { onStoreFailure: wanted.onStoreFailure }),
    ...(wanted.status === deployment.status ? {} : { status: wanted.status }),
  };

  return (
    <FormDialog
      title="Edit deployment"
      submit="Save"
      what="changing deployments"
      ready={wanted.name !== '' && seconds !== undefined && Object.keys(change).length > 0}
      action={action}
      onClose={given.onClose}
      onSubmit={async () => {
        await client.changeDeployment(deployment.deploymentId, change);
        tell({ id: 'deployment', kind: 'success', text: 'The deployment is changed.' });
        given.onSaved();
      }}
    >
      <FormField label="Name">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoComplete={false} />
      </FormField>
      <FormField
        label={
          <span>
            MQTT host <i>- optional</i>
          </span>
        }
        description="The TLS server name that stands for this deployment, besides the one of its id: one label below the MQTT domain of the installation."
      >
        <Input value={host} onChange={({ detail }) => setHost(detail.value)} autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField
        label="Session expiry, in seconds"
        description="Holds for a persistent session whose client says none, and until the broker has told its expiry."
        constraintText={`${sessionExpiryRule} (7 days).`}
        errorText={seconds === undefined && `${sessionExpiryRule}, please.`}
      >
        <Input value={expiry} inputMode="numeric" onChange={({ detail }) => setExpiry(detail.value)} />
      </FormField>
      <SpaceBetween size="s">
        <Checkbox
          checked={takeover}
          onChange={({ detail }) => setTakeover(detail.checked)}
          description="Otherwise a client id that another username holds live is refused."
        >
          A client id may be taken over by another username
        </Checkbox>
        <Checkbox
          checked={admit}
          onChange={({ detail }) => setAdmit(detail.checked)}
          description="Only clients whose credentials can be checked without it; they are counted as soon as it answers."
        >
          Admit known clients when the database does not answer
        </Checkbox>
        <Checkbox
          checked={suspended}
          onChange={({ detail }) => setSuspended(detail.checked)}
          description="Every CONNECT is refused, and who is connected is disconnected."
        >
          Suspended
        </Checkbox>
      </SpaceBetween>
    </FormDialog>
  );
}
