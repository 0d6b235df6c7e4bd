// Who changed which settings, when, from what to what.

import Header from '@cloudscape-design/components/header';
import type { AuditRecord } from '../client/types.ts';
import { ListTable } from '../parts/list-table.tsx';
import { Refresh } from '../parts/refresh.tsx';
import { shownName } from '../parts/shown-name.ts';
import { When } from '../parts/when.tsx';
import { useSession } from '../session/use-session.ts';
import { usePages } from '../state/use-pages.ts';
import { differences } from './audit-differences.ts';

export default function Audit({ deploymentId }: { readonly deploymentId: string }) {
  const { client } = useSession();
  const pages = usePages(`audit ${deploymentId}`, (cursor, signal) =>
    client.listAudit(deploymentId, { cursor }, signal),
  );
  return (
    <ListTable<AuditRecord>
      pages={pages}
      what="the audit trail"
      idOf={({ at, action, subject, actor, after }) => `${at} ${actor} ${action} ${subject} ${JSON.stringify(after)}`}
      header={
        <Header
          variant="h1"
          description="Every change of settings and MQTT users and every kick, newest first. A change and its record are written in one step."
          actions={<Refresh of="the audit trail" loading={pages.loading} onRefresh={pages.reload} />}
        >
          Audit Trail
        </Header>
      }
      empty="No settings have been changed."
      columns={[
        { id: 'at', header: 'When', isRowHeader: true, cell: ({ at }) => <When at={at} /> },
        {
          id: 'actor',
          header: 'Who',
          minWidth: 150,
          cell: ({ actor }) => <span className="name">{shownName(actor)}</span>,
        },
        {
          id: 'action',
          header: 'What',
          cell: ({ action, subject }) => (
            <>
              {action}
              {subject !== undefined && <span className="name"> {shownName(subject)}</span>}
            </>
          ),
        },
        {
          id: 'change',
          header: 'Before and after',
          cell: ({ before, after }) => (
            <ul className="plain">
              {differences(before, after).map(({ name, from, to }) => (
                <li key={name}>
                  {name === '' ? '' : `${name}: `}
                  {from !== undefined && <span className="name">{from} → </span>}
                  <span className="name">{to}</span>
                </li>
              ))}
            </ul>
          ),
        },
      ]}
    />
  );
}
