// From an event of API Gateway (HTTP API, payload 2.0) to a request, and from the answer back.
//
// The gateway has decoded the path once before it comes here. The app decodes too, as it must behind any other server;
// so the path is encoded again here, segment by segment, and every name is decoded once in all. What the gateway's own
// decoding loses, a `/` inside a name, nobody can bring back: such names need the `~` form.

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { problem, render, storeUnavailable } from './answer.ts';

interface App {
  readonly fetch: (request: Request, env: object) => Response | Promise<Response>;
}

const malformed = problem(400, 'request.malformed', 'The path, the method or a header cannot be read.');

/** Undefined for a path that no URL can carry: a URL takes `.` and `..` for steps, however they are written. */
function encodePath(decoded: string): string | undefined {
  const segments = decoded.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..') || !decoded.isWellFormed()) return undefined;
  return segments.map(encodeURIComponent).join('/');
}

function requestOf(event: APIGatewayProxyEventV2): Request | undefined {
  const { method } = event.requestContext.http;
  const path = encodePath(event.rawPath);
  if (path === undefined) return undefined;
  const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`;
  const hasBody = event.body !== undefined && method !== 'GET' && method !== 'HEAD';
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers)) if (value !== undefined) headers.set(name, value);
  // It was said of the body as it travelled, and the body is counted as it is read.
  headers.delete('content-length');
  return new Request(`https://${event.requestContext.domainName}${path}${query}`, {
    method,
    headers,
    ...(hasBody ? { body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') } : {}),
  });
}

/** `open`: throws where the data cannot be used; then every request is answered with 503. */
export function createGatewayHandler(app: App, open: () => Promise<void>) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    let request: Request | undefined;
    try {
      request = requestOf(event);
    } catch {
      // A method that fetch does not know, or a header that HTTP does not allow: not ours to repair.
      request = undefined;
    }
    const response = await open().then(
      () => (request === undefined ? render(malformed) : app.fetch(request, { event })),
      () => render(storeUnavailable),
    );
    return {
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
      isBase64Encoded: false,
    };
  };
}
