// A secret in Secrets Manager, by its ARN, which says where it lies.

import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { callService } from './signed-request.ts';

/** Two tries of this length, and the CONNECT that asked can still be answered in time. */
const timeoutMs = 1_000;

/** Throws where it cannot be read; the error never holds the secret. `endpoint`: another one than AWS's, in tests. */
export async function readSecret(
  arn: string,
  endpoint?: string,
  credentials: () => Promise<LambdaCredentials> = async () => readLambdaCredentials(),
): Promise<Uint8Array> {
  const [, partition, , region = ''] = arn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const call = {
    service: 'secretsmanager',
    region,
    // The variables are the SDK's own, for services that stand for AWS.
    endpoint:
      endpoint ??
      process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ??
      process.env.AWS_ENDPOINT_URL ??
      `https://secretsmanager.${region}.${suffix}`,
    target: 'secretsmanager.GetSecretValue',
    jsonVersion: '1.1',
    input: { SecretId: arn },
  } as const;
  const read = async () => callService(call, await credentials(), timeoutMs);
  const { SecretString: secret } = await read().catch(read);
  if (typeof secret !== 'string' || secret === '') throw new Error('the secret has no text');
  return Buffer.from(secret, 'utf8');
}
