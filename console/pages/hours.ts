import type { RejectionsOfHour } from '../client/types.ts';

const hourMs = 3_600_000;

export interface Hour {
  readonly hour: Date;
  readonly rejections: number;
}

/** Every hour of the last `count`, the present one included; the API tells only of those with rejections. */
export function hoursUntil(until: Date, count: number, told: readonly RejectionsOfHour[]): readonly Hour[] {
  const byHour = new Map(told.map(({ hour, rejections }) => [Date.parse(hour), rejections]));
  const last = Math.floor(until.getTime() / hourMs) * hourMs;
  return Array.from({ length: count }, (_, index) => {
    const at = last - (count - 1 - index) * hourMs;
    return { hour: new Date(at), rejections: byHour.get(at) ?? 0 };
  });
}
