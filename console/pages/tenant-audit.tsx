// The audit of the tenant: it outlives its deployments (S18).

import type { TenantAuditRecord } from '../client/types.ts';
import { DeploymentLink } from '../parts/deployment-link.tsx';
import { useSession } from '../session/use-session.ts';
import { usePages } from '../state/use-pages.ts';
import { AuditTable } from './audit-table.tsx';

export default function TenantAudit() {
  const { client } = useSession();
  const pages = usePages('audit of the tenant', (cursor, signal) => client.listTenantAudit({ cursor }, signal));
  return (
    <AuditTable<TenantAuditRecord>
      pages={pages}
      title="Audit of all deployments"
      description="Every change, kick and deletion in all deployments, newest first. Records of deleted deployments stay."
      where={{
        id: 'deploymentId',
        header: 'Deployment',
        cell: ({ deploymentId }) => <DeploymentLink deploymentId={deploymentId} />,
      }}
    />
  );
}
