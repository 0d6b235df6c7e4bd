// Usage: which usernames hold sessions, how many, and which clients they are (S16).

import { z } from '@hono/zod-openapi';
import {
  type ClientId,
  type Parsed,
  parseClientId,
  parseUsername,
  usernameMaxBytes,
} from '../../../shared/domain/ids.ts';
import type { RankMark, UsageReader } from '../../../shared/ports/usage/usage.ts';
import { clientNotFound, ok, problem } from '../answer.ts';
import { badCursor, parseAfter } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, clientSchema, listOf, pageQuery, sessionSchema, usageDetailSchema, usageSchema } from '../schemas.ts';
import { viewClient, viewSession, viewUsage, viewUsageDetail } from '../views.ts';

const deployment = '/v1/deployments/{deploymentId}';
const list = `${deployment}/session-usage`;
const scope = 'usage:read';

const usageQuery = z
  .strictObject({
    ...pageQuery,
    sort: z.enum(['username', 'used'], 'must be username or used').default('username'),
    order: z.enum(['asc', 'desc'], 'must be asc or desc').default('asc'),
    prefix: z
      .string()
      .refine((prefix) => Buffer.byteLength(prefix) <= usernameMaxBytes, `must be at most ${usernameMaxBytes} bytes`)
      .optional(),
    minUsed: z
      .string()
      .regex(/^[0-9]{1,9}$/, 'must be a whole number')
      .transform(Number)
      .optional()
      .openapi({ type: 'integer', minimum: 0 }),
  })
  .superRefine(({ sort, prefix, minUsed }, context) => {
    if (sort === 'used' && prefix !== undefined)
      context.addIssue({ code: 'custom', path: ['prefix'], message: 'goes with sort=username only' });
    if (sort === 'username' && minUsed !== undefined)
      context.addIssue({ code: 'custom', path: ['minUsed'], message: 'goes with sort=used only' });
  });

const usernameNotFound = problem(404, 'usage.not_found', 'This username has no live session and no rejection.');

/** Where a page by used ended. */
function parseMark(raw: string): Parsed<RankMark> {
  const [, used, name = ''] = /^(0|[1-9][0-9]{0,7}):(.+)$/su.exec(raw) ?? [];
  const username = parseUsername(name);
  if (used === undefined || !username.ok) return { ok: false, problem: 'is not a cursor of this list' };
  return { ok: true, value: { used: Number(used), username: username.value } };
}

export function addUsageRoutes(router: Router, usage: UsageReader): void {
  router.deploymentRoute({
    method: 'get',
    path: list,
    scope,
    summary: 'List usernames with live sessions',
    query: usageQuery,
    responses: {
      200: answers(
        listOf(usageSchema),
        'Numbers are exact when read. The order by used lags by up to 60 s, and a page in it may be shorter than asked ' +
          'for: `nextCursor` alone says whether others follow.',
      ),
    },
    async handle({ deployment: { deploymentId }, query, after, page }) {
      if (query.sort === 'used') {
        const mark = parseAfter(after, parseMark);
        if (!mark.ok) return badCursor(mark.problem);
        const { items, next } = await usage.listByUsed(deploymentId, {
          limit: query.limit,
          order: query.order,
          ...(query.minUsed === undefined ? {} : { minUsed: query.minUsed }),
          ...mark.value,
        });
        return page(items.map(viewUsage), next === undefined ? undefined : `${next.used}:${next.username}`);
      }
      const from = parseAfter(after, parseUsername);
      if (!from.ok) return badCursor(from.problem);
      const { items, more } = await usage.listUsernames(deploymentId, {
        limit: query.limit,
        order: query.order,
        ...from.value,
        ...(query.prefix === undefined || query.prefix === '' ? {} : { prefix: query.prefix }),
      });
      return page(items.map(viewUsage), more ? items.at(-1)?.username : undefined);
    },
  });

  router.deploymentRoute({
    method: 'get',
    path: `${list}/{username}`,
    scope,
    summary: "Read a username's usage",
    params: { username: parseUsername },
    responses: { 200: answers(usageDetailSchema, 'Its usage') },
    problems: ['usage.not_found'],
    async handle({ deployment: { deploymentId }, params: { username } }) {
      const detail = await usage.getUsername(deploymentId, username);
      return detail === undefined ? usernameNotFound : ok(viewUsageDetail(detail));
    },
  });

  router.deploymentRoute({
    method: 'get',
    path: `${list}/{username}/sessions`,
    scope,
    summary: "List a username's sessions",
    params: { username: parseUsername },
    query: z.strictObject(pageQuery),
    responses: { 200: answers(listOf(sessionSchema), 'Its sessions, in an order that stays') },
    async handle({ deployment: { deploymentId }, params: { username }, query, after, page }) {
      const from = parseAfter(after, (raw) => parseClientId(deploymentId, raw));
      if (!from.ok) return badCursor(from.problem);
      const { items, more } = await usage.listSessions(deploymentId, username, {
        limit: query.limit,
        ...from.value,
      });
      return page(items.map(viewSession), more ? items.at(-1)?.clientId : undefined);
    },
  });

  router.deploymentRoute<{ clientId: ClientId }, object, undefined>({
    method: 'get',
    path: `${deployment}/clients/{clientId}`,
    scope,
    summary: 'Read client details',
    params: { clientId: (raw, id) => parseClientId(id, raw) },
    responses: { 200: answers(clientSchema, 'The client') },
    problems: ['client.not_found'],
    async handle({ deployment: { deploymentId }, params: { clientId } }) {
      const session = await usage.getClient(deploymentId, clientId);
      return session === undefined ? clientNotFound : ok(viewClient(session));
    },
  });
}
