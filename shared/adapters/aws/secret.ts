import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The text of a secret in Secrets Manager. Throws where it cannot be read; the error never holds the secret. */
export async function readSecret(arn: string): Promise<Uint8Array> {
  const client = new SecretsManagerClient({ maxAttempts: 2 });
  const answer = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  return Buffer.from(answer.SecretString ?? '', 'utf8');
}
