import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import type { Deployment } from '../client/types.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useSession } from '../session/use-session.ts';
import { useNotices } from '../state/notices.tsx';
import { useAction } from '../state/use-action.ts';

export default function DeploymentCreate(given: { onClose(): void; onCreated(deployment: Deployment): void }) {
  const { client } = useSession();
  const { tell } = useNotices();
  const action = useAction();
  const [name, setName] = useState('');
  return (
    <FormDialog
      title="Create deployment"
      submit="Create"
      what="creating deployments"
      ready={name.trim() !== ''}
      action={action}
      onClose={given.onClose}
      onSubmit={async () => {
        const made = await client.createDeployment(name.trim());
        tell({ id: 'deployment', kind: 'success', text: `The deployment ${made.deploymentId} is created.` });
        given.onCreated(made);
      }}
    >
      <FormField label="Name" constraintText="1 to 256 characters. The deployment's id is made for you.">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoComplete={false} />
      </FormField>
    </FormDialog>
  );
}
