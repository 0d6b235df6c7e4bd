// Which page a place shows. Each is a chunk of its own, loaded when it is first shown.

import Spinner from '@cloudscape-design/components/spinner';
import { lazy, Suspense } from 'react';
import type { Place } from './places.ts';

const Deployments = lazy(() => import('../pages/deployments.tsx'));
const Overview = lazy(() => import('../pages/overview.tsx'));
const Connect = lazy(() => import('../pages/connect.tsx'));
const MqttUsers = lazy(() => import('../pages/mqtt-users.tsx'));
const SessionLimit = lazy(() => import('../pages/session-limit/page.tsx'));
const Clients = lazy(() => import('../pages/clients.tsx'));
const Rejections = lazy(() => import('../pages/rejections.tsx'));
const Audit = lazy(() => import('../pages/audit.tsx'));
const Operations = lazy(() => import('../pages/operations.tsx'));
const TenantAudit = lazy(() => import('../pages/tenant-audit.tsx'));
const NotFound = lazy(() => import('../pages/not-found.tsx'));

function page(place: Place) {
  switch (place.page) {
    case 'deployments':
      return <Deployments />;
    case 'operations':
      return <Operations />;
    case 'tenant-audit':
      return <TenantAudit />;
    case 'not-found':
      return <NotFound />;
    case 'overview':
      return <Overview deploymentId={place.deploymentId} />;
    case 'connect':
      return <Connect deploymentId={place.deploymentId} />;
    case 'mqtt-users':
      return <MqttUsers deploymentId={place.deploymentId} />;
    case 'session-limit':
      return <SessionLimit deploymentId={place.deploymentId} tab={place.tab} clientsOf={place.clientsOf} />;
    case 'clients':
      return <Clients deploymentId={place.deploymentId} clientId={place.clientId} />;
    case 'rejections':
      return <Rejections deploymentId={place.deploymentId} />;
    case 'audit':
      return <Audit deploymentId={place.deploymentId} />;
  }
}

export function PageOf({ place }: { readonly place: Place }) {
  return (
    <Suspense
      fallback={
        <div className="center" role="status" aria-label="Loading the page">
          <Spinner size="large" />
        </div>
      }
    >
      {page(place)}
    </Suspense>
  );
}
