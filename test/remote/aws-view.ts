// What an operator of the account sees of an installation: the resources of its stacks, what their roles may do, the endpoint,
// and the service of the front door. Needs cloudformation:ListStackResources, iam:SimulatePrincipalPolicy,
// iot:DescribeDomainConfiguration and ecs:DescribeServices.

import type { LambdaCredentials } from '../../shared/adapters/aws/lambda-credentials.ts';
import { callService, encodeSegment, signHeaders } from '../../shared/adapters/aws/signed-request.ts';

export interface StackResource {
  readonly type: string;
  readonly physicalId: string;
}

export interface ServiceView {
  readonly desiredCount: number;
  readonly maximumPercent: number;
}

export interface AwsView {
  /** None where there is no such stack. */
  resourcesOf(stack: string): Promise<readonly StackResource[]>;
  /** `allowed`, `implicitDeny` or `explicitDeny`. */
  simulate(roleArn: string, action: string, resourceArn: string): Promise<string>;
  domainConfigurationArn(name: string): Promise<string>;
  service(cluster: string, service: string): Promise<ServiceView>;
}

const timeoutMs = 30_000;

/** `endpointOf`: where a service is, with its scheme. IAM has one place for all regions, and signs as in us-east-1. */
export function viewAws(
  region: string,
  credentials: LambdaCredentials,
  endpointOf = (service: string): string =>
    service === 'iam' ? 'https://iam.amazonaws.com' : `https://${service}.${region}.amazonaws.com`,
): AwsView {
  const send = async (
    service: string,
    method: 'GET' | 'POST',
    path: string,
    body: string,
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const endpoint = endpointOf(service);
    const headers = {
      host: new URL(endpoint).host,
      ...(method === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }),
    };
    const scope = { service, region: service === 'iam' ? 'us-east-1' : region, method, path };
    const { host: _sentByFetch, ...signed } = signHeaders(scope, headers, body, credentials, new Date());
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = method === 'GET' ? {} : { body };
    const answer = await fetch(`${endpoint}${path}`, { method, headers: signed, signal, ...sent });
    return { status: answer.status, text: await answer.text() };
  };
  const query = (service: string, parameters: Readonly<Record<string, string>>) =>
    send(service, 'POST', '/', new URLSearchParams(parameters).toString());

  return {
    async resourcesOf(stack) {
      const found: StackResource[] = [];
      let next: string | undefined;
      do {
        const token: Readonly<Record<string, string>> = next === undefined ? {} : { NextToken: next };
        const parameters = { Action: 'ListStackResources', Version: '2010-05-15', StackName: stack, ...token };
        const { status, text } = await query('cloudformation', parameters);
        if (status === 400 && text.includes('does not exist')) return [];
        if (status !== 200) throw new Error(`ListStackResources answered ${status} ${textOf(text, 'Code')}`);
        for (const member of text.split('<member>').slice(1))
          found.push({ type: textOf(member, 'ResourceType'), physicalId: textOf(member, 'PhysicalResourceId') });
        next = textOf(text, 'NextToken') || undefined;
      } while (next !== undefined);
      return found;
    },

    // One ARN a call: asked about several, IAM answers with the strictest decision of all.
    async simulate(roleArn, action, resourceArn) {
      const { status, text } = await query('iam', {
        Action: 'SimulatePrincipalPolicy',
        Version: '2010-05-08',
        PolicySourceArn: roleArn,
        'ActionNames.member.1': action,
        'ResourceArns.member.1': resourceArn,
      });
      if (status !== 200) throw new Error(`SimulatePrincipalPolicy answered ${status} ${textOf(text, 'Code')}`);
      return textOf(text, 'EvalDecision');
    },

    async domainConfigurationArn(name) {
      const { status, text } = await send('iot', 'GET', `/domainConfigurations/${encodeSegment(name)}`, '');
      if (status !== 200) throw new Error(`DescribeDomainConfiguration answered ${status}`);
      const { domainConfigurationArn }: { readonly domainConfigurationArn: string } = JSON.parse(text);
      return domainConfigurationArn;
    },

    async service(cluster, service) {
      const target = 'AmazonEC2ContainerServiceV20141113.DescribeServices';
      const input = { cluster, services: [service] };
      const call = { service: 'ecs', region, endpoint: endpointOf('ecs'), target, jsonVersion: '1.1', input } as const;
      const { services } = (await callService(call, credentials, timeoutMs)) as unknown as DescribedServices;
      const [found] = services;
      if (found === undefined) throw new Error(`there is no service ${service}`);
      return {
        desiredCount: found.desiredCount,
        // [AWS: without it, a service may have twice the tasks that it wants]
        maximumPercent: found.deploymentConfiguration.maximumPercent ?? 200,
      };
    },
  };
}

interface DescribedServices {
  readonly services: readonly {
    readonly desiredCount: number;
    readonly deploymentConfiguration: { readonly maximumPercent?: number };
  }[];
}

/** Text of the first element of a name, or nothing. None of what is read here holds markup. */
const textOf = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
