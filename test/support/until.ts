import { vi } from 'vitest';

/** Asks again and again until it neither throws nor rejects; for what comes true in its own time, on a slow machine too. */
export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 20 });
}
