import { expect, test } from 'vitest';
import { listenHttp } from '../../local/http.ts';

test('a connection at rest is kept for longer than clients and proxies keep it, and is told so', async () => {
  const app = { fetch: () => new Response('here') };
  const server = await listenHttp(app, { host: '127.0.0.1', port: 0 }, { answersTo: () => true });
  const answer = await fetch(`http://127.0.0.1:${server.port}/`);
  expect([await answer.text(), answer.headers.get('keep-alive')]).toEqual(['here', 'timeout=65']);
  await server.close();
});
