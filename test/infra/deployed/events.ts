// Events as the services send them, by their documentation, with all the fields that nobody asked for.

import { randomUUID } from 'node:crypto';

/** [AWS IoT Core: "Defining your Lambda function", custom authentication] */
export function authorizerEvent(mqtt: {
  readonly username: string;
  readonly password?: string;
  readonly clientId: string;
  readonly serverName?: string;
}): object {
  return {
    protocols: ['tls', 'mqtt'],
    signatureVerified: false,
    protocolData: {
      tls: { serverName: mqtt.serverName ?? 'd0123456789.iot.eu-central-1.amazonaws.com' },
      mqtt: {
        username: mqtt.username,
        ...(mqtt.password === undefined ? {} : { password: Buffer.from(mqtt.password).toString('base64') }),
        clientId: mqtt.clientId,
      },
    },
    connectionMetadata: { id: randomUUID() },
  };
}

/** [AWS Lambda: "Using Lambda with Amazon SQS"] */
export function sqsEvent(bodies: readonly object[], receives = 1, sentAt = Date.now()): object {
  return {
    Records: bodies.map((body) => ({
      messageId: randomUUID(),
      receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
      body: JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(sentAt),
        SenderId: 'AIDAIENQZJOLO23YVJ4VO',
        ApproximateFirstReceiveTimestamp: String(sentAt + 1),
      },
      messageAttributes: {},
      md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:111111111111:Headcount-PresenceQueue',
      awsRegion: 'eu-central-1',
    })),
  };
}

/** [AWS IoT Core: "Connect/Disconnect events"] */
export function presenceEvent(
  type: 'connected' | 'disconnected' | 'connect_failed',
  clientId: string,
  more: object,
): object {
  return {
    clientId,
    timestamp: Date.now(),
    eventType: type,
    sessionIdentifier: '00000000-0000-0000-0000-000000000000',
    principalIdentifier: '000000000000/ABCDEFGHIJKLMNOPQRST:some-user/ABCDEFGHIJKLMNOPQRST:some-user',
    ...(type === 'disconnected'
      ? { clientInitiatedDisconnect: true, disconnectReason: 'CLIENT_INITIATED_DISCONNECT' }
      : { ipAddress: '192.0.2.7' }),
    ...(type === 'connect_failed' ? { connectFailureReason: 'AUTHORIZATION_FAILED' } : { versionNumber: 0 }),
    ...more,
  };
}

/** [Amazon EventBridge: "Schedule events"] */
export function scheduleEvent(): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '111111111111',
    time: new Date().toISOString().replace(/\.\d+/, ''),
    region: 'eu-central-1',
    resources: ['arn:aws:events:eu-central-1:111111111111:rule/Headcount-EveryMinute'],
    detail: {},
  };
}

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly claims?: Readonly<Record<string, string>>;
}

/** [Amazon API Gateway: payload format 2.0] */
export function httpEvent({ method, path, query = '', body, headers = {}, claims }: HttpCall): object {
  return {
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath: path,
    rawQueryString: query,
    headers: {
      accept: '*/*',
      authorization: 'Bearer the-gateway-has-checked-it',
      host: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(query === '' ? {} : { queryStringParameters: Object.fromEntries(new URLSearchParams(query)) }),
    requestContext: {
      accountId: '111111111111',
      apiId: 'abcdefghij',
      ...(claims === undefined ? {} : { authorizer: { jwt: { claims, scopes: (claims.scope ?? '').split(' ') } } }),
      domainName: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: 'curl/8.5.0' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: 'ANY /v1/{proxy+}',
      stage: '$default',
      time: '22/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_348_800_000,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
