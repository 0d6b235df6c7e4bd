// Where IoT Core listens. AWS makes the name of a managed endpoint when it is deployed, and CloudFormation does not hand
// it on; so who has to know it asks.

import { type Credentials, signedHeaders } from './signature.ts';

export interface EndpointQuestion {
  readonly domainConfiguration: string;
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  /** `https://iot.<region>.amazonaws.com` unless told. */
  readonly controlPlane?: string;
}

/** Host name of a domain configuration. Throws where it cannot be learnt. */
export async function findIotEndpoint(question: EndpointQuestion): Promise<string> {
  const { domainConfiguration, region, credentials } = question;
  const base = question.controlPlane ?? `https://iot.${region}.amazonaws.com`;
  const url = new URL(`/domainConfigurations/${domainConfiguration}`, base);
  const unsigned = { method: 'GET', url, headers: {}, body: '' } as const;
  const headers = signedHeaders(unsigned, { region, service: 'iot' }, await credentials(), new Date());
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000), redirect: 'error' });
  if (!answer.ok) throw new Error(`IoT Core does not tell of ${domainConfiguration}: ${answer.status}`);
  const told: unknown = await answer.json();
  const name = typeof told === 'object' && told !== null && 'domainName' in told ? told.domainName : undefined;
  if (typeof name !== 'string' || name === '') throw new Error(`${domainConfiguration} has no name yet`);
  return name;
}
