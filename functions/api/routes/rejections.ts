// Rejections (S5): whose, why, how often, when last; how many an hour; and the last ones of a username.

import { z } from '@hono/zod-openapi';
import { rejectionHoursKeptSeconds } from '../../../shared/config/constants.ts';
import { parseUsername, type Username } from '../../../shared/domain/ids.ts';
import { recordedReasons } from '../../../shared/domain/refusal.ts';
import { type Ms, ms } from '../../../shared/domain/time.ts';
import type { Clock } from '../../../shared/ports/common/clock.ts';
import type { RecentPlace, RejectionReader } from '../../../shared/ports/rejections/rejections.ts';
import { badCursor } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, listOf, pageQuery } from '../schemas.ts';
import { rejectionEntrySchema, rejectionHourSchema, rejectionSchema } from '../schemas-tenancy.ts';
import { viewRejection, viewRejectionEntry, viewRejectionHour } from '../views.ts';

const hourMs = 3_600_000;

/** Days that there are, which `Date.parse` does not ask for. */
const dateTime = z.iso.datetime({ offset: true });

const moment = z
  .string()
  .refine((raw) => dateTime.safeParse(raw.toUpperCase()).success, { message: 'must be a time as in RFC 3339' })
  .transform((raw) => ms(Date.parse(raw)))
  .optional();

const query = z
  .strictObject({
    ...pageQuery,
    interval: z.enum(['hour'], 'must be hour').optional().openapi({
      description:
        'hour: counts of those for quota per hour, newest first, in place of usernames; hours without one are left out',
    }),
    reason: z
      .enum(recordedReasons, `must be one of ${recordedReasons.join(', ')}`)
      .optional()
      .openapi({ description: 'Only those for this reason' }),
    username: z
      .string()
      .transform((raw, context) => {
        const parsed = parseUsername(raw);
        if (parsed.ok) return parsed.value;
        context.addIssue({ code: 'custom', message: parsed.problem });
        return z.NEVER;
      })
      .optional()
      .openapi({ type: 'string', description: 'Only those of this username' }),
    from: moment.openapi({ type: 'string', format: 'date-time', description: 'Rejected last at this time or later' }),
    to: moment.openapi({ type: 'string', format: 'date-time', description: 'Rejected last before this time' }),
  })
  .superRefine(({ interval, ...filters }, context) => {
    for (const name of ['reason', 'username', 'from', 'to'] as const)
      if (interval !== undefined && filters[name] !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'does not go with interval' });
  });

const foreignCursor = badCursor('is not a cursor of this list');

/** `<time>|<reason>|<username>`; the username comes last because it may hold anything. */
function parsePlace(raw: string): RecentPlace | undefined {
  const [, at = '', word, name = ''] = /^([0-9]+)\|([a-z_]+)\|(.+)$/su.exec(raw) ?? [];
  const lastAt = parseTime(at);
  const reason = recordedReasons.find((one) => one === word);
  const username = parseUsername(name);
  if (lastAt === undefined || reason === undefined || !username.ok) return undefined;
  return { lastAt, reason, username: username.value };
}

/** An hour that a page can have ended with, also if the next one is asked for a day later. */
function parseHour(raw: string, now: Ms): Ms | undefined {
  const hour = parseTime(raw);
  if (hour === undefined || hour % hourMs !== 0 || hour > now) return undefined;
  return hour >= now - rejectionHoursKeptSeconds * 1_000 - 25 * hourMs ? hour : undefined;
}

function parseTime(raw: string): Ms | undefined {
  return /^[0-9]{1,15}$/.test(raw) ? ms(Number(raw)) : undefined;
}

export function addRejectionRoutes(
  router: Router,
  ports: { readonly rejections: RejectionReader; readonly clock: Clock },
): void {
  const { rejections, clock } = ports;
  router.deploymentRoute({
    method: 'get',
    path: '/v1/deployments/{deploymentId}/rejections',
    scope: 'usage:read',
    summary: 'List recent rejections, newest first, or count them by the hour',
    query,
    responses: {
      200: answers(
        z.union([listOf(rejectionSchema), listOf(rejectionHourSchema)]),
        'By username and reason, or by hour. With `reason`, a page may be shorter than asked for: `nextCursor` alone says ' +
          'whether others follow.',
      ),
    },
    async handle({
      deployment: { deploymentId },
      query: { limit, interval, reason, username, from, to },
      after,
      page,
    }) {
      if (interval === 'hour') {
        const now = clock.now();
        const oldest = ms(now - rejectionHoursKeptSeconds * 1_000 - (now % hourMs));
        const last = after === undefined ? undefined : parseHour(after, now);
        if (after !== undefined && last === undefined) return foreignCursor;
        const until = last === undefined ? now : ms(last - 1);
        // A page may be asked for after its hours have become too old.
        if (until < oldest) return page([], undefined);
        const hours = await rejections.listHours(deploymentId, { limit: limit + 1, until, from: oldest });
        const shown = hours.slice(0, limit);
        return page(shown.map(viewRejectionHour), hours.length > limit ? String(shown.at(-1)?.hour) : undefined);
      }
      const place = after === undefined ? undefined : parsePlace(after);
      if (after !== undefined && place === undefined) return foreignCursor;
      const { items, next } = await rejections.listRecent(deploymentId, {
        limit,
        ...(place === undefined ? {} : { after: place }),
        ...(reason === undefined ? {} : { reason }),
        ...(username === undefined ? {} : { username }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
      const last = next === undefined ? undefined : `${next.lastAt}|${next.reason}|${next.username}`;
      return page(items.map(viewRejection), last);
    },
  });

  router.deploymentRoute<{ username: Username }, object, undefined>({
    method: 'get',
    path: '/v1/deployments/{deploymentId}/session-usage/{username}/rejections',
    scope: 'usage:read',
    summary: "List a username's last rejections",
    params: { username: parseUsername },
    responses: { 200: answers(listOf(rejectionEntrySchema), 'The last 20, newest first') },
    async handle({ deployment: { deploymentId }, params: { username }, page }) {
      return page((await rejections.listLast(deploymentId, username)).map(viewRejectionEntry), undefined);
    },
  });
}
