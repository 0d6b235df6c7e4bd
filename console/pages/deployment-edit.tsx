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
import { deploymentChoices } from './deployment-choices.ts';
import { parseSessionExpiry, sessionExpiryRule } from './session-expiry.ts';

export default function DeploymentEdit(given: { readonly deployment: Deployment; onClose(): void; onSaved(): void }) {
  const { deployment } = given;
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [name, setName] = useState(deployment.name);
  const [host, setHost] = useState(deployment.mqttHost ?? '');
  const [expiry, setExpiry] = useState(String(deployment.sessionExpirySeconds));
  const [chosen, setChosen] = useState(() =>
    Object.fromEntries(deploymentChoices.map(({ name: setting }) => [setting, deployment[setting]])),
  );
  const [suspended, setSuspended] = useState(deployment.status === 'suspended');
  const seconds = parseSessionExpiry(expiry);

  const wanted = {
    name: name.trim(),
    mqttHost: host.trim() === '' ? null : host.trim(),
    sessionExpirySeconds: seconds ?? 0,
    status: suspended ? 'suspended' : 'active',
    ...chosen,
  };
  // Only what was changed here is sent: what somebody else changes meanwhile stays.
  const change: DeploymentChange = Object.fromEntries(
    Object.entries(wanted).filter(([field, value]) => Reflect.get(deployment, field) !== value),
  );

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
        {deploymentChoices.map(({ name: setting, on, off, box, hint }) => (
          <Checkbox
            key={setting}
            checked={chosen[setting] === on.value}
            onChange={({ detail }) => setChosen({ ...chosen, [setting]: detail.checked ? on.value : off.value })}
            description={hint}
          >
            {box}
          </Checkbox>
        ))}
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
