// Where IoT Core listens. AWS makes the name of a managed endpoint when it is deployed, and CloudFormation does not hand
// it on; so who has to know it asks.

import type { LambdaCredentials } from './lambda-credentials.ts';
import { signHeaders } from './signed-request.ts';

export interface EndpointQuestion {
  readonly domainConfiguration: string;
  readonly region: string;
  readonly credentials: () => Promise<LambdaCredentials>;
}

/** Host name of a domain configuration. Throws where it cannot be learnt. */
export async function findIotEndpoint(question: EndpointQuestion): Promise<string> {
  const { domainConfiguration, region, credentials } = question;
  // The variable is the SDK's own, for whoever is not AWS.
  const base = process.env.AWS_ENDPOINT_URL ?? `https://iot.${region}.amazonaws.com`;
  const url = new URL(`/domainConfigurations/${domainConfiguration}`, base);
  const signed = signHeaders(
    { service: 'iot', region, method: 'GET', path: url.pathname },
    { host: url.host },
    '',
    await credentials(),
    new Date(),
  );
  const { host: _sentByFetch, ...headers } = signed;
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000), redirect: 'error' });
  if (!answer.ok) throw new Error(`IoT Core does not tell of ${domainConfiguration}: ${answer.status}`);
  const told: unknown = await answer.json();
  const name = typeof told === 'object' && told !== null && 'domainName' in told ? told.domainName : undefined;
  if (typeof name !== 'string' || name === '') throw new Error(`${domainConfiguration} has no name yet`);
  return name;
}
