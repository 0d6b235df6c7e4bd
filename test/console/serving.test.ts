// How the console is served locally: what protects it, what is handed to whom, and how much a first visit loads.

import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildConsole } from '../../local/console-build.ts';
import { createConsoleSite } from '../../local/console-site.ts';
import { isNavigation } from '../../shared/config/console.ts';
import { type Rig, startRig } from '../support/product.ts';

let rig: Rig;
let origin: string;
let folder: string;

beforeAll(async () => {
  [rig, folder] = await Promise.all([
    startRig({ console: true, env: { API_TOKENS: 'ro=local:settings:read+usage:read' } }),
    buildConsole(),
  ]);
  origin = `http://127.0.0.1:${rig.product.httpPort}`;
}, 120_000);
afterAll(() => rig.stop());

const navigating = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };

const config = async (headers: Record<string, string> = {}) => {
  const answer = await fetch(`${origin}/config.json`, { headers });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as { signIn: unknown } };
};

describe('before the console is built', () => {
  const askAt = (path: string, folder: Promise<string>) => {
    const mqtt = { host: '127.0.0.1', tcpPort: 1, tlsPort: 2 };
    const site = createConsoleSite({ folder, apiToken: 'local', authenticate: () => undefined, mqtt });
    return () => site.answer(new Request(`http://127.0.0.1${path}`, { headers: navigating }), '127.0.0.1');
  };

  test('a page in its place says so and reloads by itself', async () => {
    const answer = askAt('/deployments', new Promise(() => undefined))();
    expect(answer?.status).toBe(503);
    expect(answer?.headers.get('cache-control')).toBe('no-store');
    expect(await answer?.text()).toMatch(/http-equiv="refresh".*is being built/);
    expect(askAt('/assets/index.js', new Promise(() => undefined))()).toBeUndefined();
  });

  test('a build that fails is told on the page, which does not reload', async () => {
    const ask = askAt('/', Promise.reject(new Error('no')));
    await new Promise((resolve) => setImmediate(resolve));
    const text = await ask()?.text();
    expect(text).toContain('could not be built');
    expect(text).not.toContain('refresh');
  });
});

describe('the page', () => {
  test('is answered at every place of the console, and only there', async () => {
    const deep = '/deployments/demo/session-limit/usage/~YS5i';
    for (const path of ['/', '/deployments', '/deployments/', deep, '/operations', '/audit', '/audit/']) {
      const answer = await fetch(`${origin}${path}`, { headers: navigating });
      expect(answer.headers.get('content-type'), path).toContain('text/html');
      expect(answer.headers.get('cache-control'), path).toBe('no-cache');
    }
    const others = [
      ...['/v1/nothing', '/v1', '/v2/deployments', '//v1/deployments', '/V1/deployments', '/v1//deployments'],
      ...['/readyz', '/health', '/mqtt', '/deployments//demo', '//deployments', '/nowhere', '/config.json/'],
      ...[
        '/assets/nothing.js',
        '/deployments/secret.txt',
        '/audit/x',
        '/operations.txt',
        '/.env',
        '/index.html/',
        '/%2e%2e/package.json',
      ],
    ];
    for (const path of others)
      expect((await fetch(`${origin}${path}`, { headers: navigating })).headers.get('content-type'), path).toBe(
        'application/problem+json',
      );
    expect((await fetch(`${origin}/healthz`, { headers: navigating })).headers.get('content-type')).toBe(
      'application/json',
    );
    expect((await fetch(`${origin}/deployments`, { method: 'POST', headers: navigating })).status).toBe(404);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['a browser that goes there', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, true],
    ['a program', {}, false],
    ['a program that wants JSON', { accept: 'application/json' }, false],
  ])('is for whom it is shown to: %s', async (_who, headers, isShown) => {
    const answer = await fetch(`${origin}/deployments`, { headers });
    expect(answer.status).toBe(isShown ? 200 : 404);
    expect(answer.headers.get('content-type')).toContain(isShown ? 'text/html' : 'application/problem+json');
  });

  test('runs nothing but scripts and styles that are files of its own', async () => {
    const answer = await fetch(`${origin}/`, { headers: navigating });
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const html = await answer.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|style="/);
  });

  test('keeps what carries a hash in its name, and asks again for the rest', async () => {
    const asset = readdirSync(join(folder, 'assets')).find((name) => name.endsWith('.js'));
    const answer = await fetch(`${origin}/assets/${asset}`);
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-type')).toContain('text/javascript');
  });
});

test('a browser that says that it navigates need not say what it shows', () => {
  expect(isNavigation((name) => (name === 'sec-fetch-mode' ? 'navigate' : null))).toBe(true);
  expect(isNavigation((name) => (name === 'sec-fetch-mode' ? 'cors' : '*/*'))).toBe(false);
});

describe('the local API token', () => {
  test('is handed to the console on this machine, and is not for a page of another origin to read', async () => {
    const own = await config({ 'sec-fetch-site': 'same-origin' });
    expect(own.body.signIn).toMatchObject({ apiToken: 'local' });
    expect(own.headers.get('access-control-allow-origin')).toBeNull();
    expect(own.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(own.headers.get('cache-control')).toBe('no-store');
    const crossSite = await fetch(`${origin}/config.json`, { method: 'OPTIONS', headers: { origin: 'http://a.test' } });
    expect(crossSite.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['cross-site', 'same-site', 'none'])('is withheld where the browser says %s', async (from) => {
    expect((await config({ 'sec-fetch-site': from })).body.signIn).toEqual({});
  });

  test('is withheld from a program that does not say whose page asks', async () => {
    expect((await config()).body.signIn).toEqual({});
  });

  test.each(['x-forwarded-for', 'forwarded'])('is withheld from what came through a proxy: %s', async (header) => {
    const headers = { [header]: 'for=192.0.2.1', 'sec-fetch-site': 'same-origin' };
    expect((await config(headers)).body.signIn).toEqual({});
  });

  test('is withheld from a name that was made to point here', async () => {
    const answered = await new Promise<string>((resolve, reject) => {
      const asked = request(`${origin}/config.json`, { headers: { host: 'rebound.example' } }, (answer) => {
        answer.setEncoding('utf8');
        let text = `${answer.statusCode} `;
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve(text));
      });
      asked.once('error', reject);
      asked.end();
    });
    expect(answered).toMatch(/^421 /);
    expect(answered).not.toContain('apiToken');
  });

  test('that somebody else brings is told what it is good for, and given nothing', async () => {
    const { body } = await config({ authorization: 'Bearer ro' });
    expect(body.signIn).toEqual({ scopes: ['settings:read', 'usage:read'] });
    expect((await config({ authorization: 'Bearer guessed' })).status).toBe(401);
  });
});

describe('what is built', () => {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

  /** Script and style that a first visit of the usage page loads, by what loads what in the build. */
  function loadedBy(entry: RegExp): ReadonlySet<string> {
    const names = readdirSync(join(folder, 'assets'));
    const found = new Set<string>([...read('index.html').matchAll(/assets\/[^"]+\.(?:js|css)/g)].map(([name]) => name));
    const page = names.find((name) => entry.test(name));
    if (page === undefined) throw new Error('the usage page is a chunk of its own');
    const queue = [...found, `assets/${page}`];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      found.add(file);
      if (!file.endsWith('.js')) continue;
      // Static imports only: what is split off is loaded when it is shown.
      for (const [, name] of read(file).matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
        if (name !== undefined && !found.has(`assets/${name}`)) queue.push(`assets/${name}`);
    }
    // The styles that the page's own preload list names.
    const index = [...found].find((file) => /assets\/index-[^/]+\.js$/.test(file));
    const lists = read(index ?? '').match(/assets\/[\w.-]+\.css/g) ?? [];
    const bases = [...found].map((file) => file.replace(/-[\w-]{8}\.js$/, ''));
    for (const sheet of lists) if (bases.includes(sheet.replace(/-[\w-]{8}\.css$/, ''))) found.add(sheet);
    return found;
  }

  test('loads at most 400 KB of script and style for the usage page, gzip', () => {
    const files = [...loadedBy(/^page-[\w-]{8}\.js$/)];
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
    expect(files.some((file) => file.endsWith('.css'))).toBe(true);
    expect(bytes).toBeGreaterThan(100 * 1024);
    expect(bytes).toBeLessThanOrEqual(400_000);
  });

  test('holds nothing of the API but its types, and no font inside a style', () => {
    for (const file of readdirSync(join(folder, 'assets'))) {
      if (file.endsWith('.js')) expect(read(`assets/${file}`).includes('ZodError'), file).toBe(false);
      if (file.endsWith('.css')) expect(read(`assets/${file}`).includes('data:font'), file).toBe(false);
    }
  });
});
