// What an installation has, as the HTTP API tells it, and one change of it at a time. Each change is conditional: it is made
// on what was read, or not at all.

import { createHash } from 'node:crypto';
import { limitSettings, valuesOf } from '../shared/domain/settings.ts';
import type { Change, Found } from './plan.ts';
import type { DeploymentWanted, OverrideWanted, Wanted } from './read-file.ts';
import { createCall, Refused } from './requests.ts';
import { listed } from './shown-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The API keeps a key for a day. */
const renamesMax = 20;

const keyOf = (...parts: readonly string[]): string =>
  `apply-${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;

/** What a change is made on. */
export interface Target {
  readonly deploymentId: string;
  readonly etag: string;
}

export interface Installation {
  find(wanted: Wanted): Promise<Found>;
  /** Reads an override that is about to be written over; answers its ETag. Refused where it is not `before` any more. */
  versionOf(deploymentId: string, username: string, before: OverrideWanted): Promise<string>;
  /** Refused where they are not these any more. */
  confirmOverrides(deploymentId: string, overrides: Found['overrides']): Promise<void>;
  /**
   * Invariant: there is one deployment of the name, however many runs make it at once.
   * Race: all of them send the key that the name gives, and one of them makes it; the others are refused.
   * On crash: the next run finds the deployment by its name, or meets it under the key.
   */
  create(name: string): Promise<Target>;
  /** Of a deployment that nothing has changed since it was made. */
  remove(target: Target): Promise<void>;
  /** `etag`: of the override that the change is about, where there is one. */
  make(change: Exclude<Change, { kind: 'create deployment' }>, target: Target, etag: string | undefined): Promise<void>;
  /** Of the token; undefined where no answer has told them. */
  scopes(): ReadonlySet<string> | undefined;
}

/** The form of a name in a path that survives every gateway. */
const segment = (name: string): string => `~${Buffer.from(name, 'utf8').toString('base64url')}`;

const pathOf = (deploymentId: string): string => `/deployments/${encodeURIComponent(deploymentId)}`;

export function createInstallation(baseUrl: string, token: string): Installation {
  let scopes: ReadonlySet<string> | undefined;
  let deployments: Promise<readonly Fields[]> | undefined;
  const call = createCall(baseUrl, token, (told) => {
    scopes = told;
  });

  async function listAll(path: string): Promise<readonly Fields[]> {
    const items: Fields[] = [];
    let cursor: string | undefined;
    do {
      const query = `?limit=100${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const { body } = await call('GET', `${path}${query}`);
      if (!Array.isArray(body.items))
        throw new Refused(`GET ${path} was not answered with a list: is HEADCOUNT_URL right?`);
      items.push(...(body.items as readonly Fields[]));
      cursor = typeof body.nextCursor === 'string' ? body.nextCursor : undefined;
    } while (cursor !== undefined);
    return items;
  }

  async function listOverrides(deploymentId: string): Promise<Found['overrides']> {
    const items = await listAll(`${pathOf(deploymentId)}/session-limit/overrides`);
    return new Map(items.map(({ username, limit }) => [String(username), limit as OverrideWanted]));
  }

  async function findId({ id, name }: DeploymentWanted): Promise<string | undefined> {
    if (id !== undefined) return id;
    // One list for all files.
    deployments ??= listAll('/deployments');
    const same = (await deployments).filter((one) => one.name === name && one.status !== 'deleting');
    if (same.length > 1)
      throw new Refused(
        `${same.length} deployments are named ${JSON.stringify(name)}: say which by its id, of ` +
          listed(
            same.map(({ deploymentId }) => String(deploymentId)),
            ', ',
          ),
      );
    return same[0] === undefined ? undefined : String(same[0].deploymentId);
  }

  async function findDeployment(wanted: DeploymentWanted): Promise<Found['deployment']> {
    const id = await findId(wanted);
    if (id === undefined) return undefined;
    const { body, etag } = await call('GET', pathOf(id));
    if (wanted.id === undefined && body.name !== wanted.name)
      throw new Refused(`the deployment ${id} was renamed while it was read: run again`);
    if (body.status === 'deleting') throw new Refused(`the deployment ${id} is being deleted`);
    return { ...body, deploymentId: id, etag };
  }

  return {
    scopes: () => scopes,

    async find(wanted) {
      const deployment = await findDeployment(wanted.deployment);
      const none = { deployment, sessionLimit: undefined, overrides: new Map() };
      if (deployment === undefined) return none;
      const limit = await call('GET', `${pathOf(deployment.deploymentId)}/session-limit`, { accept: 404 });
      if (limit.status === 404) return none;
      return {
        deployment,
        sessionLimit: {
          ...valuesOf(limitSettings, (_, name) => limit.body[name]),
          whitelist: limit.body.whitelist as readonly string[],
          etag: limit.etag,
        },
        overrides:
          wanted.overrides === undefined && wanted.sessionLimit !== 'none'
            ? new Map()
            : await listOverrides(deployment.deploymentId),
      };
    },

    async versionOf(deploymentId, username, before) {
      const path = `${pathOf(deploymentId)}/session-limit/overrides/${segment(username)}`;
      const { status, body, etag } = await call('GET', path, { accept: 404 });
      if (status === 404 || body.limit !== before)
        throw new Refused(`the override of ${JSON.stringify(username)} has changed since it was read`);
      return etag;
    },

    async confirmOverrides(deploymentId, overrides) {
      const now = await listOverrides(deploymentId);
      if (now.size !== overrides.size || [...now].some(([username, limit]) => overrides.get(username) !== limit))
        throw new Refused('the overrides, which go with the session limit, have changed since they were read');
    },

    async create(name) {
      let key = keyOf(name);
      for (let round = 0; round < renamesMax; round += 1) {
        const { status, body, etag } = await call('POST', '/deployments', {
          body: { name },
          headers: { 'idempotency-key': key },
        });
        const deploymentId = body.deploymentId;
        if (typeof deploymentId !== 'string') throw new Refused('POST /deployments was answered without an id');
        if (status === 201) return { deploymentId, etag };
        if (body.name === name) throw new Refused(`it was made meanwhile, as ${deploymentId}: run again`);
        // What the key has made bears another name by now. The next key is the same for every run that meets this one.
        key = keyOf(name, key);
      }
      throw new Refused('the deployments that were made under this name were renamed too often today');
    },

    async remove({ deploymentId, etag }) {
      await call('DELETE', pathOf(deploymentId), { headers: { 'if-match': etag } });
    },

    async make(change, target, etag) {
      const path = pathOf(target.deploymentId);
      const limit = `${path}/session-limit`;
      switch (change.kind) {
        case 'change deployment':
          await call('PATCH', path, { body: change.fields, headers: { 'if-match': change.etag ?? target.etag } });
          return;
        case 'create limit':
          await call('PUT', limit, { body: change.limit, headers: { 'if-none-match': '*' } });
          return;
        case 'change limit':
          await call('PATCH', limit, { body: change.fields, headers: { 'if-match': change.etag } });
          return;
        case 'delete limit':
          await call('DELETE', limit, { headers: { 'if-match': change.etag } });
          return;
        case 'put override':
          await call('PUT', `${limit}/overrides/${segment(change.username)}`, {
            body: { limit: change.limit },
            headers: etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag },
          });
          return;
        case 'delete override':
          await call('DELETE', `${limit}/overrides/${segment(change.username)}`, {
            headers: { 'if-match': etag ?? '' },
          });
          return;
      }
    },
  };
}
