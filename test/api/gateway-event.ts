// Events as API Gateway (HTTP API, payload 2.0) sends them: the path is decoded once, the query is not.

import type { APIGatewayProxyEventV2 } from 'aws-lambda';

export interface Sent {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly claims?: Readonly<Record<string, string>>;
}

export function gatewayEvent({ method, target, headers = {}, body, claims }: Sent): APIGatewayProxyEventV2 {
  const [path = '', ...query] = target.split('?');
  const rawPath = decodeURIComponent(path);
  const requestContext = {
    accountId: '123456789012',
    apiId: 'api-id',
    domainName: 'api.example.com',
    domainPrefix: 'api',
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
    requestId: 'id',
    routeKey: '$default',
    stage: '$default',
    time: '22/Nov/2026:17:00:00 +0000',
    timeEpoch: 1795366800000,
  };
  const authorized = { ...requestContext, authorizer: { jwt: { claims: claims ?? {}, scopes: [] } } };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: query.join('?'),
    headers: { host: 'api.example.com', ...headers },
    // A token that was refused never gets here, so claims are those of one that was taken.
    requestContext: claims === undefined ? requestContext : authorized,
    isBase64Encoded: false,
    ...(body === undefined ? {} : { body }),
  };
}
