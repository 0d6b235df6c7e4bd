// What usage shows of a username besides its roster, in one small item: its rejections, its rank in the order by used,
// and a copy of its override. One, so that a page of usernames costs one read unit for two of them, and nothing besides
// the index where the order is by used. Written by whoever changes each part; the connect path neither reads nor writes
// it.

import type { Username } from '../../../domain/ids.ts';
import type { Override } from '../../../domain/limit.ts';
import type { Item } from '../presence/session-item.ts';
import { parseRejectionItem, type StoredRejections } from '../rejections/rejection-store.ts';

/** More digits than any count has: as text they sort like numbers. */
const usedDigits = 8;
const usedMax = 10 ** usedDigits - 1;

export function usedText(used: number): string {
  return String(Math.min(used, usedMax)).padStart(usedDigits, '0');
}

/** The sort key of the rank index: by used, and among equals by username. */
export function rankText(used: number, username: Username): string {
  return `${usedText(used)}|${username}`;
}

/** 0 where the username is not in the order. */
export function rankedUsed(item: Item | undefined): number {
  return typeof item?.rank === 'string' ? Number(item.rank.slice(0, usedDigits)) : 0;
}

/** Whether a username has an override or a notice, besides its rank and its rejections. */
export function holdsMore(item: Item | undefined): boolean {
  return item?.own !== undefined || item?.noticeRev !== undefined;
}

/** A copy of an override, void like the override itself where the generation has moved on. */
export function ownLimitOf(override: Override, generation: number): { own: number | string; ownOf: number } {
  return { own: override.kind === 'number' ? override.max : override.kind, ownOf: generation };
}

export interface UsageItem {
  readonly override: Override | undefined;
  readonly rejections: StoredRejections | undefined;
}

export function parseUsageItem(item: Item | undefined, generation: number | undefined): UsageItem {
  return {
    override: item === undefined || item.ownOf !== generation ? undefined : parseOwn(item.own),
    rejections: item?.rejections === undefined ? undefined : parseRejectionItem(item),
  };
}

function parseOwn(own: unknown): Override | undefined {
  if (own === 'unlimited' || own === 'blocked') return { kind: own };
  return typeof own === 'number' ? { kind: 'number', max: own } : undefined;
}
