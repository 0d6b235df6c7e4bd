// Who changed which settings, when, from what to what.

import { useSession } from '../session/use-session.ts';
import { usePages } from '../state/use-pages.ts';
import { AuditTable } from './audit-table.tsx';

export default function Audit({ deploymentId }: { readonly deploymentId: string }) {
  const { client } = useSession();
  const pages = usePages(`audit ${deploymentId}`, (cursor, signal) =>
    client.listAudit(deploymentId, { cursor }, signal),
  );
  return (
    <AuditTable
      pages={pages}
      title="Audit Trail"
      description="Every change of settings and MQTT users and every kick, newest first. A change and its record are written in one step."
    />
  );
}
