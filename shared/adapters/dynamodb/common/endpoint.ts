// Where DynamoDB is asked, and as which region's. The variables, and which of them comes first, are the SDK's own.
// Configuration files are not read: the processes that use it have none.

export interface Endpoint {
  readonly url: URL;
  readonly region: string;
}

export interface EndpointOptions {
  readonly endpoint?: string;
  readonly region?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function findEndpoint(given: EndpointOptions, environment: Environment = process.env): Endpoint {
  if (given.endpoint !== undefined) return { url: new URL(given.endpoint), region: given.region ?? 'local' };
  const region = given.region ?? environment.AWS_REGION;
  if (region === undefined || !/^[a-z0-9-]+$/.test(region)) throw new Error('AWS_REGION names no region');
  return { url: new URL(configured(environment) ?? `https://${hostOf(region, environment)}`), region };
}

function configured(environment: Environment): string | undefined {
  if (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  // A variable that is empty is none.
  return environment.AWS_ENDPOINT_URL_DYNAMODB || environment.AWS_ENDPOINT_URL || undefined;
}

function hostOf(region: string, environment: Environment): string {
  const ofChina = region.startsWith('cn-') ? '.cn' : '';
  const service = environment.AWS_USE_FIPS_ENDPOINT === 'true' ? 'dynamodb-fips' : 'dynamodb';
  return environment.AWS_USE_DUALSTACK_ENDPOINT === 'true'
    ? `${service}.${region}.${ofChina === '' ? 'api.aws' : 'api.amazonwebservices.com.cn'}`
    : `${service}.${region}.amazonaws.com${ofChina}`;
}
