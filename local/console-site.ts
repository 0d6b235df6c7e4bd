// Serves the console beside the API, and tells it where it runs. The file that says so holds the local API token: it is
// for this machine, and for pages of this very origin.

import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { LocalTokens } from '../functions/api/tokens.ts';
import {
  buildConsoleHeaders,
  consoleAssetsPath,
  consoleCacheControl,
  consoleConfigPath,
  isConsolePlace,
  isNavigation,
} from '../shared/config/console.ts';
import { isAskedHere } from './hosts.ts';

export interface ConsoleOptions {
  /** What `buildConsole` makes; until then, or where that fails, a page says so in the place of the console. */
  readonly folder: Promise<string>;
  readonly apiToken: string;
  readonly authenticate: LocalTokens['authenticate'];
  /** `host`: undefined where all addresses listen; then the one that the browser asked is told. */
  readonly mqtt: { readonly host: string | undefined; readonly tcpPort: number; readonly tlsPort: number };
}

export interface ConsoleSite {
  /** Undefined for what is the API's to answer. `peer`: the address at the other end of the connection. */
  answer(request: Request, peer: string | undefined): Response | undefined;
}

interface File {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const headers = buildConsoleHeaders();

async function readFiles(folder: string): Promise<ReadonlyMap<string, File>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, File]> => {
        const type = types[extname(path)] ?? 'application/octet-stream';
        const bytes = new Uint8Array(await readFile(path));
        return [`/${relative(folder, path).split(sep).join('/')}`, { bytes, type }];
      }),
    ),
  );
}

export function createConsoleSite(options: ConsoleOptions): ConsoleSite {
  let files: ReadonlyMap<string, File> | undefined;
  let absent = buildingPage;
  options.folder.then(readFiles).then(
    (read) => {
      files = read;
    },
    () => {
      absent = failedPage;
    },
  );
  return {
    answer(request, peer) {
      const { pathname } = new URL(request.url);
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
      if (pathname === consoleConfigPath) return answerConfig(options, request, peer);
      const isPage = isConsolePlace(pathname) && isNavigation((name) => request.headers.get(name));
      if (files === undefined) return isPage ? answerAbsent(request, absent) : undefined;
      const file = files.get(isPage ? '/index.html' : pathname);
      if (file === undefined) return undefined;
      const { assets, page } = consoleCacheControl;
      const cacheControl = pathname.startsWith(consoleAssetsPath) ? assets : page;
      return new Response(request.method === 'HEAD' ? null : file.bytes, {
        headers: { ...headers, 'content-type': file.type, 'cache-control': cacheControl },
      });
    },
  };
}

const page = (head: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8">${head}<title>Headcount</title><p>${text}</p></html>`;

const buildingPage = page(
  '<meta http-equiv="refresh" content="2">',
  'The console is being built. This page reloads by itself. The API and MQTT work already.',
);
const failedPage = page(
  '',
  'The console could not be built; the output of <code>npm start</code> says why. The API and MQTT work.',
);

function answerAbsent(request: Request, text: string): Response {
  return new Response(request.method === 'HEAD' ? null : text, {
    status: 503,
    headers: { ...headers, 'content-type': types['.html'] ?? '', 'cache-control': 'no-store' },
  });
}

/**
 * Another page cannot read this: no CORS header lets it, `Host` was checked against names that point elsewhere, and the
 * browser says that a page of this origin asks. A program on this machine that says nothing of the kind gets no token.
 */
function isOwnPage(request: Request, peer: string | undefined): boolean {
  return isAskedHere(request, peer) && request.headers.get('sec-fetch-site') === 'same-origin';
}

function answerConfig(options: ConsoleOptions, request: Request, peer: string | undefined): Response {
  const { apiToken, authenticate, mqtt } = options;
  const given = /^Bearer +([^ ]+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const handedOut = given === undefined && isOwnPage(request, peer);
  const token = handedOut ? apiToken : given;
  const principal = token === undefined ? undefined : authenticate(token, undefined);
  const all = { ...headers, 'content-type': 'application/json', 'cache-control': consoleCacheControl.config };
  // A token that is typed in is asked about here: what it is good for decides which buttons are shown.
  if (given !== undefined && principal === undefined) return new Response('{}', { status: 401, headers: all });
  const host = mqtt.host ?? new URL(request.url).hostname.replace(/^\[(.*)\]$/, '$1');
  const body = {
    signIn: {
      ...(handedOut ? { apiToken } : {}),
      ...(principal === undefined ? {} : { scopes: [...principal.scopes] }),
    },
    mqtt: {
      tcp: { host, port: mqtt.tcpPort },
      tls: { host, port: mqtt.tlsPort, ownCertificate: true },
      frontDoor: true,
    },
  };
  return new Response(request.method === 'HEAD' ? null : JSON.stringify(body), { headers: all });
}
