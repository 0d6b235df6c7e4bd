// Requests to the embedded engine without a computed signature. The engine refuses a request that has none and verifies
// none. To compute one takes a third of the processor's time of a request, and a CONNECT is some requests.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

const headers = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=none',
  'x-amz-date': '20260101T000000Z',
};

interface HttpRequest {
  readonly headers: Record<string, string>;
}

/** Must be called before the client's first request. Answers the same client. */
export function leaveUnsigned<C extends Pick<DynamoDBClient, 'middlewareStack'>>(client: C): C {
  const { middlewareStack } = client;
  if (!middlewareStack.remove('httpSigningMiddleware')) throw new Error('the SDK calls its signing by another name');
  middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as HttpRequest).headers, headers);
      return next(args);
    },
    { step: 'finalizeRequest', name: 'leaveUnsigned' },
  );
  return client;
}
