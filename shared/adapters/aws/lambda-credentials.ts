// The credentials of a Lambda function: its role's, in the environment, good for longer than the process lives.
//
// In a bundle this file stands in the place of the SDK's own search (`@aws-sdk/credential-provider-node`), which also
// carries clients of STS, SSO and sign-in, instance metadata and configuration files: a quarter of the authorizer, loaded
// at every cold start and never used there.

export interface LambdaCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export function readLambdaCredentials(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): LambdaCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set');
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** The name and the shape that the SDK's clients import. */
export function defaultProvider(): () => Promise<LambdaCredentials> {
  return async () => readLambdaCredentials();
}
