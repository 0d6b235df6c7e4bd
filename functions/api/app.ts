// The HTTP API (product contract, section 3) as a Hono app: the same one behind API Gateway and on a local socket.
// It knows ports only; who is behind them is decided where it is started.

import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { KickPorts } from '../../shared/app/operations/kick.ts';
import {
  credentialsPerDeploymentMax,
  deploymentsPerTenantMax,
  runningOperationsMax,
  usernamesPerListMax,
} from '../../shared/config/constants.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { Log } from '../../shared/ports/common/log.ts';
import type { CredentialStore, PasswordMaker } from '../../shared/ports/credentials/credentials.ts';
import type { KeyFetcher, SignersOf, TokenIssuerStore } from '../../shared/ports/credentials/token-issuer.ts';
import type { RejectionReader } from '../../shared/ports/rejections/rejections.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import type { UsageReader } from '../../shared/ports/usage/usage.ts';
import { internalError, ok, problem, render, storeUnavailable } from './answer.ts';
import { type ApiDocument, renderReference, styleHash } from './docs/page.ts';
import type { Authenticate } from './principal.ts';
import { createRouter } from './route.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addCredentialRoutes } from './routes/credentials.ts';
import { addDeploymentRoutes, type DeploymentRoutePorts } from './routes/deployments.ts';
import { addKickRoutes } from './routes/kicks.ts';
import { addOperationRoutes } from './routes/operations.ts';
import { addOverrideRoutes } from './routes/overrides.ts';
import { addRejectionRoutes } from './routes/rejections.ts';
import { addSessionLimitRoutes } from './routes/session-limit.ts';
import { addTenantRoutes } from './routes/tenants.ts';
import { addTokenIssuerRoutes } from './routes/token-issuer.ts';
import { addUsageRoutes } from './routes/usage.ts';

export interface ApiPorts extends DeploymentRoutePorts {
  readonly settings: SettingsStore;
  readonly credentials: CredentialStore;
  readonly passwords: PasswordMaker;
  readonly usage: UsageReader;
  readonly issuers: TokenIssuerStore;
  readonly signersOf: SignersOf;
  readonly fetcher: KeyFetcher;
  readonly kicks: KickPorts;
  readonly authenticate: Authenticate;
  readonly rejections: RejectionReader;
  readonly log: Log;
  /** Whether a CONNECT can be decided; without it `/healthz` says only that the API answers. */
  readonly isHealthy?: () => Promise<boolean>;
}

const documentConfig = {
  openapi: '3.1.0',
  info: {
    title: 'Headcount',
    version: '1',
    description:
      'Limits how many MQTT sessions one username may hold on a deployment. Readable at /docs. A tenant may own ' +
      `${deploymentsPerTenantMax} deployments, with ${credentialsPerDeploymentMax} MQTT users, one token issuer, and a ` +
      `whitelist and overrides of ${usernamesPerListMax} usernames each, and have ${runningOperationsMax} operations ` +
      'running. Requests in progress are bounded per tenant; beyond that the answer is 429 with Retry-After. The header ' +
      '`x-scopes` of an answer lists the scopes that the caller has, separated by spaces.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
};

export function createApi(ports: ApiPorts): OpenAPIHono {
  const { log } = ports;
  const app = new OpenAPIHono();

  app.use(async (c, next) => {
    const requestId = randomUUID();
    c.header('x-request-id', requestId);
    await next();
    // Answers tell of a tenant's users; no browser or proxy keeps them, or takes them for anything but data.
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    if (!c.res.headers.has('content-security-policy'))
      c.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    c.header('x-request-id', requestId);
  });

  app.onError((error, c) => {
    if (error instanceof StoreUnavailable) {
      log.warn('the database did not answer in time', { method: c.req.method, cause: String(error.cause) });
      return render(storeUnavailable);
    }
    log.error('a request failed', {
      method: c.req.method,
      requestId: c.res.headers.get('x-request-id'),
      error: String(error.stack ?? error),
    });
    return render(internalError);
  });

  app.notFound(() => render(problem(404, 'route.not_found', 'There is nothing at this path.')));

  app.get('/healthz', async () =>
    render((await ports.isHealthy?.()) === false ? storeUnavailable : ok({ status: 'ok' })),
  );

  const router = createRouter(app, ports);
  addTenantRoutes(router, ports);
  addDeploymentRoutes(router, ports);
  addSessionLimitRoutes(router, ports);
  addOverrideRoutes(router, ports);
  addCredentialRoutes(router, ports);
  addTokenIssuerRoutes(router, ports);
  addUsageRoutes(router, ports.usage);
  addRejectionRoutes(router, ports);
  addAuditRoutes(router, ports.settings);
  addKickRoutes(router, ports);
  addOperationRoutes(router, ports.starts.operations);
  router.refuseOtherMethods();

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  // Made at the first asking, so that no other request pays for it, and once: whoever asks needs no token.
  let description: ReturnType<typeof app.getOpenAPI31Document> | undefined;
  const describe = () => {
    description ??= app.getOpenAPI31Document(documentConfig);
    return description;
  };
  app.get('/openapi.json', () => render(ok(describe())));
  let reference: string | undefined;
  app.get('/docs', () => {
    reference ??= renderReference(describe() as unknown as ApiDocument);
    return new Response(reference, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': `default-src 'none'; style-src ${styleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      },
    });
  });

  return app;
}
