// How many tasks the only service of a cluster is meant to have.

import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { callService } from './signed-request.ts';

export interface ClusterQuestion {
  /** Its name. */
  readonly cluster: string;
  readonly region: string;
  readonly credentials?: () => Promise<LambdaCredentials>;
}

const timeoutMs = 5_000;

/** Undefined where the cluster has no service yet. Throws where ECS does not say, or where there are two. */
export async function readDesiredCount(question: ClusterQuestion): Promise<number | undefined> {
  const { cluster, region, credentials = async () => readLambdaCredentials() } = question;
  const ask = async (action: string, input: object) =>
    callService(
      {
        service: 'ecs',
        region,
        // The variable is the SDK's own, for services that stand for AWS.
        endpoint: process.env.AWS_ENDPOINT_URL ?? `https://ecs.${region}.amazonaws.com`,
        target: `AmazonEC2ContainerServiceV20141113.${action}`,
        jsonVersion: '1.1',
        input,
      },
      await credentials(),
      timeoutMs,
    );
  const { serviceArns } = await ask('ListServices', { cluster });
  if (!Array.isArray(serviceArns)) throw new Error('ECS listed no services');
  if (serviceArns.length === 0) return undefined;
  const { services } = await ask('DescribeServices', { cluster, services: serviceArns });
  if (!Array.isArray(services)) throw new Error('ECS described no services');
  // One that is being deleted counts no more, should it still be listed.
  const [service, other] = services.filter((found) => found?.status === 'ACTIVE');
  if (service === undefined) return undefined;
  if (other !== undefined) throw new Error(`there is more than one service in ${cluster}`);
  if (!Number.isInteger(service.desiredCount)) throw new Error('ECS told no desired count');
  return service.desiredCount;
}
