// What the console's files are served with, here and on AWS: the headers are part of what keeps a token safe.

/** Beside the files of the build, and no part of it: what this installation is (console/session/config.ts reads it). */
export const consoleConfigPath = '/config.json';

/** Files under it carry a hash of what is in them in their name, and never change. */
export const consoleAssetsPath = '/assets/';

export const consoleCacheControl = {
  assets: 'public, max-age=31536000, immutable',
  /** The page itself, and whatever has no hash in its name. */
  page: 'no-cache',
  config: 'no-store',
} as const;

/** The addresses that console/shell/places.ts writes; a dot in the last part is a file's. */
export const consolePlacePattern = /^\/(?:(?:operations|audit)\/?|deployments(?:\/(?:[^/]+\/)*[^/.]*)?)?$/;

/** Files of the build, and the configuration beside them: in `/assets/` or at the top, with a dot in the name. */
export const consoleFilePattern = /^\/(?:assets\/)?[^/]*\.[^/]+$/;

/** A place of the console is answered by `index.html`. */
export function isConsolePlace(path: string): boolean {
  return consolePlacePattern.test(path);
}

/** A browser goes there, and shows what comes: a program that asks for data gets no page. */
export function isNavigation(header: (name: string) => string | null): boolean {
  return header('sec-fetch-mode') === 'navigate' || (header('accept') ?? '').includes('text/html');
}

/** `connectTo`: origins that the console talks to besides its own, as the sign-in page or an API elsewhere. */
export function buildConsoleHeaders(connectTo: readonly string[] = []): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", ...connectTo].join(' ')}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin-allow-popups',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}
