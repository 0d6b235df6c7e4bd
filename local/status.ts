// What an operator's tools ask of the local run beside `/healthz`: `/version` and `/metrics`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, problem, render } from '../functions/api/answer.ts';
import type { createApi } from '../functions/api/app.ts';
import { unauthorized } from '../functions/api/route.ts';
import type { LocalTokens } from '../functions/api/tokens.ts';
import { dataFormat } from '../shared/config/constants.ts';
import { isAskedHere } from './hosts.ts';

export interface StatusOptions {
  readonly renderMetrics: () => string;
  readonly authenticate: LocalTokens['authenticate'];
}

/** The address at the other end of the connection. */
export interface Peer {
  readonly peer: string | undefined;
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}

export function addStatusRoutes(
  app: ReturnType<typeof createApi>,
  { renderMetrics, authenticate }: StatusOptions,
): void {
  const version = readVersion();
  app.get('/version', () => render(ok({ version, format: dataFormat })));

  // The numbers are of all tenants together. A scraper on this machine needs no token; what comes from elsewhere, or
  // through a proxy, needs the token of the whole installation.
  app.get('/metrics', (c) => {
    if (!isAskedHere(c.req.raw, (c.env as Peer).peer)) {
      const token = /^Bearer +([^ ]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
      const principal = token === undefined ? undefined : authenticate(token, undefined);
      if (principal === undefined) return render(unauthorized);
      if (!principal.scopes.has('tenants:admin'))
        return render(problem(403, 'forbidden', 'This needs the scope tenants:admin.'));
    }
    return new Response(renderMetrics(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  });
}
