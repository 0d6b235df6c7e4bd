const sessionExpirySecondsMost = 604_800;

/** Seconds as somebody types them; undefined for what is no session expiry. */
export function parseSessionExpiry(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^\d{1,6}$/.test(trimmed)) return undefined;
  const seconds = Number(trimmed);
  return seconds <= sessionExpirySecondsMost ? seconds : undefined;
}

export const sessionExpiryRule = `0 to ${sessionExpirySecondsMost.toLocaleString('en')}`;
