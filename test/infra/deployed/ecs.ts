// Stands for ECS and for CloudFormation's URL: says what a cluster holds, and keeps what a custom resource answered.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Ecs {
  readonly endpoint: string;
  /** Where CloudFormation waits for an answer. */
  readonly responseUrl: string;
  /** Of the cluster's only service; undefined where there is none yet. */
  desiredCount: number | undefined;
  /** Calls, as a policy names them, with the cluster. */
  readonly asked: string[];
  readonly answered: Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

const arn = 'arn:aws:ecs:eu-central-1:111111111111:service/door/Service';

export async function startEcs(): Promise<Ecs> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      if (request.method === 'PUT') {
        ecs.answered.push(body);
        response.end();
        return;
      }
      const { 'x-amz-target': target = '', authorization = '' } = request.headers;
      const action = String(target).replace('AmazonEC2ContainerServiceV20141113.', '');
      if (!authorization.includes('/eu-central-1/ecs/aws4_request')) {
        response.writeHead(403).end('{"__type":"AccessDeniedException"}');
        return;
      }
      ecs.asked.push(`ecs:${action} ${body.cluster}`);
      const { desiredCount } = ecs;
      const there = desiredCount === undefined ? [] : [{ status: 'ACTIVE', desiredCount }];
      if (action === 'ListServices') response.end(JSON.stringify({ serviceArns: there.map(() => arn) }));
      else if (action === 'DescribeServices' && body.services[0] === arn)
        response.end(JSON.stringify({ services: there, failures: [] }));
      else response.writeHead(400).end('{"__type":"InvalidParameterException"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ecs: Ecs = {
    endpoint,
    responseUrl: `${endpoint}/answer`,
    desiredCount: undefined,
    asked: [],
    answered: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return ecs;
}
