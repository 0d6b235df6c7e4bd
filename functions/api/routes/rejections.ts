// Rejections for quota (S5): whose, how often, when last; and how many an hour.

import { z } from '@hono/zod-openapi';
import { rejectionHoursKeptSeconds } from '../../../shared/config/constants.ts';
import { parseUsername } from '../../../shared/domain/ids.ts';
import { type Ms, ms } from '../../../shared/domain/time.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { RecentPlace, RejectionReader } from '../../../shared/ports/rejections.ts';
import { badCursor } from '../list.ts';
import type { Router } from '../route.ts';
import { answers, listOf, pageQuery } from '../schemas.ts';
import { rejectionHourSchema, rejectionSchema } from '../schemas-tenancy.ts';
import { viewRejection, viewRejectionHour } from '../views.ts';

const hourMs = 3_600_000;

const query = z.strictObject({
  ...pageQuery,
  interval: z.enum(['hour'], 'must be hour').optional().openapi({
    description: 'hour: counts per hour, newest first, in place of usernames; hours without one are left out',
  }),
});

const foreignCursor = badCursor('is not a cursor of this list');

/** `<time>|<username>`; the username comes last because it may hold anything. */
function parsePlace(raw: string): RecentPlace | undefined {
  const border = raw.indexOf('|');
  const lastAt = parseTime(raw.slice(0, Math.max(0, border)));
  const username = parseUsername(raw.slice(border + 1));
  return lastAt === undefined || !username.ok ? undefined : { lastAt, username: username.value };
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
      200: answers(z.union([listOf(rejectionSchema), listOf(rejectionHourSchema)]), 'By username, or by hour'),
    },
    async handle({ deployment: { deploymentId }, query: { limit, interval }, after, page }) {
      if (interval === 'hour') {
        const now = clock.now();
        const from = ms(now - rejectionHoursKeptSeconds * 1_000 - (now % hourMs));
        const last = after === undefined ? undefined : parseHour(after, now);
        if (after !== undefined && last === undefined) return foreignCursor;
        const until = last === undefined ? now : ms(last - 1);
        // A page may be asked for after its hours have become too old.
        if (until < from) return page([], undefined);
        const hours = await rejections.listHours(deploymentId, { limit: limit + 1, until, from });
        const shown = hours.slice(0, limit);
        return page(shown.map(viewRejectionHour), hours.length > limit ? String(shown.at(-1)?.hour) : undefined);
      }
      const place = after === undefined ? undefined : parsePlace(after);
      if (after !== undefined && place === undefined) return foreignCursor;
      const { items, next } = await rejections.listRecent(deploymentId, {
        limit,
        ...(place === undefined ? {} : { after: place }),
      });
      return page(items.map(viewRejection), next === undefined ? undefined : `${next.lastAt}|${next.username}`);
    },
  });
}
