const maxSessionsMost = 1_000_000;
export const maxSessionsUsual = 100;

/** A whole number of sessions as somebody types it; undefined for what is none. */
export function parseMaxSessions(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^\d{1,7}$/.test(trimmed)) return undefined;
  const max = Number(trimmed);
  return max >= 1 && max <= maxSessionsMost ? max : undefined;
}

export const maxSessionsRule = `A whole number from 1 to ${maxSessionsMost.toLocaleString('en')}.`;
