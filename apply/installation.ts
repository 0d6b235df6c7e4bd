// The HTTP API as this command uses it. Every refusal becomes a sentence that says what was asked and what was answered.

import { setTimeout as pause } from 'node:timers/promises';
import type { Change, Found } from './plan.ts';
import type { DeploymentWanted, OverrideWanted, Wanted } from './read-file.ts';

export class Refused extends Error {
  override readonly name = 'Refused';
}

export interface Installation {
  find(wanted: Wanted): Promise<Found>;
  /** `deploymentId` undefined: the change makes it. Answers the id. */
  make(change: Change, deploymentId: string | undefined): Promise<string>;
}

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

const requestTimeoutMs = 30_000;
/** A tenant that does much at once is told to come again: nothing has been done then. */
const triesMax = 10;
const waitMaxSeconds = 30;

function secondsToWait(answer: Response): number {
  const told = Number(answer.headers.get('retry-after') ?? 1);
  return told >= 0 && told <= waitMaxSeconds ? told : waitMaxSeconds;
}

/** The form of a name in a path that survives every gateway. */
const segment = (name: string): string => `~${Buffer.from(name, 'utf8').toString('base64url')}`;

export function createInstallation(baseUrl: string, token: string): Installation {
  async function call(
    method: string,
    path: string,
    { body, headers = {}, accept = [] }: { body?: object; headers?: Record<string, string>; accept?: number[] } = {},
  ): Promise<Answer> {
    const send = () =>
      fetch(`${baseUrl}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
    let answer = await send();
    for (let tried = 1; answer.status === 429 && tried < triesMax; tried += 1) {
      await answer.body?.cancel();
      await pause(secondsToWait(answer) * 1_000);
      answer = await send();
    }
    const told = await answer.text();
    const fields = parse(told);
    if (!answer.ok && !accept.includes(answer.status))
      throw new Refused(
        `${method} ${path} was answered ${answer.status}: ${String(fields.detail ?? fields.code ?? told)}`,
      );
    return { status: answer.status, etag: answer.headers.get('etag') ?? undefined, body: fields };
  }

  async function listAll(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const items: Readonly<Record<string, unknown>>[] = [];
    let cursor: string | undefined;
    do {
      const query = `?limit=100${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const { body } = await call('GET', `${path}${query}`);
      items.push(...(body.items as readonly Readonly<Record<string, unknown>>[]));
      cursor = typeof body.nextCursor === 'string' ? body.nextCursor : undefined;
    } while (cursor !== undefined);
    return items;
  }

  async function findDeployment({ id, name }: DeploymentWanted): Promise<Found['deployment']> {
    if (id !== undefined) {
      const { body } = await call('GET', `/deployments/${encodeURIComponent(id)}`);
      return body as Found['deployment'];
    }
    const same = (await listAll('/deployments')).filter((deployment) => deployment.name === name);
    if (same.length > 1)
      throw new Refused(`${same.length} deployments are named ${JSON.stringify(name)}: say which by its id`);
    return same[0] as Found['deployment'];
  }

  return {
    async find(wanted) {
      const deployment = await findDeployment(wanted.deployment);
      if (deployment === undefined) return { deployment, sessionLimit: undefined, overrides: new Map() };
      const path = `/deployments/${deployment.deploymentId}/session-limit`;
      const limit = await call('GET', path, { accept: [404] });
      if (limit.status === 404) return { deployment, sessionLimit: undefined, overrides: new Map() };
      const overrides = wanted.overrides === undefined ? [] : await listAll(`${path}/overrides`);
      return {
        deployment,
        sessionLimit: {
          enabled: limit.body.enabled === true,
          maxSessionsPerUsername: Number(limit.body.maxSessionsPerUsername),
          whitelist: limit.body.whitelist as readonly string[],
          etag: limit.etag ?? '',
        },
        overrides: new Map(overrides.map(({ username, limit: each }) => [String(username), each as OverrideWanted])),
      };
    },

    async make(change, deploymentId) {
      if (change.kind === 'create deployment') {
        const { body } = await call('POST', '/deployments', { body: { name: change.name } });
        return String(body.deploymentId);
      }
      if (deploymentId === undefined) throw new Error('there is no deployment to change');
      const path = `/deployments/${deploymentId}`;
      const limit = `${path}/session-limit`;
      switch (change.kind) {
        case 'change deployment':
          await call('PATCH', path, { body: change.fields });
          break;
        case 'put limit': {
          const condition = change.etag === undefined ? { 'if-none-match': '*' } : { 'if-match': change.etag };
          await call('PUT', limit, { body: change.limit, headers: condition });
          break;
        }
        case 'delete limit':
          await call('DELETE', limit, { headers: { 'if-match': change.etag } });
          break;
        case 'put override':
          await call('PUT', `${limit}/overrides/${segment(change.username)}`, { body: { limit: change.limit } });
          break;
        case 'delete override':
          await call('DELETE', `${limit}/overrides/${segment(change.username)}`, { accept: [404] });
          break;
      }
      return deploymentId;
    },
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
