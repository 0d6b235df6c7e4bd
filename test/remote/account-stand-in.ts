// An account of AWS as far as test/remote/aws-view.ts reads one: documents in the shape that the API references show, in pages.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const stacks: Readonly<Record<string, readonly (readonly [type: string, physicalId: string])[]>> = {
  Headcount: [
    ['AWS::IoT::DomainConfiguration', 'Endpoint-1'],
    ['AWS::IAM::Role', 'Headcount-Asks'],
    ['AWS::IAM::Role', 'Headcount-Other'],
  ],
  HeadcountFrontDoor: [
    ['AWS::ECS::Cluster', 'Cluster-1'],
    ['AWS::ECS::Service', 'arn:aws:ecs:eu-central-1:111111111111:service/Cluster-1/Service-1'],
  ],
};

function listStackResources(stack: string, token: string | null): readonly [status: number, body: string] {
  const resources = stacks[stack];
  if (resources === undefined)
    return [
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${stack} does not exist</Message></Error></ErrorResponse>`,
    ];
  const index = Number(token ?? 0);
  const [type = '', physicalId = ''] = resources[index] ?? [];
  const next = index + 1 < resources.length ? `<NextToken>${index + 1}</NextToken>` : '';
  const member = `<member><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LogicalResourceId>One</LogicalResourceId><PhysicalResourceId>${physicalId}</PhysicalResourceId><ResourceType>${type}</ResourceType></member>`;
  return [
    200,
    `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${member}</StackResourceSummaries>${next}</ListStackResourcesResult></ListStackResourcesResponse>`,
  ];
}

/** One role may ask under the longer form only. */
function simulate(role: string, resource: string): string {
  const decision = role.endsWith('/Headcount-Asks') && resource.endsWith('/id1') ? 'allowed' : 'implicitDeny';
  return `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member><EvalActionName>iot:DescribeDomainConfiguration</EvalActionName><EvalDecision>${decision}</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`;
}

function answer(path: string, target: unknown, body: string): readonly [status: number, body: string] {
  if (path === '/domainConfigurations/Endpoint-1') {
    const domainConfigurationArn = 'arn:aws:iot:eu-central-1:111111111111:domainconfiguration/Endpoint-1/id1';
    return [200, JSON.stringify({ domainConfigurationName: 'Endpoint-1', domainConfigurationArn })];
  }
  if (target === 'AmazonEC2ContainerServiceV20141113.DescribeServices')
    return [
      200,
      JSON.stringify({ services: [{ desiredCount: 20, deploymentConfiguration: { maximumPercent: 110 } }] }),
    ];
  const asked = new URLSearchParams(body);
  if (asked.get('Action') === 'ListStackResources')
    return listStackResources(asked.get('StackName') ?? '', asked.get('NextToken'));
  if (asked.get('Action') === 'SimulatePrincipalPolicy')
    return [200, simulate(asked.get('PolicySourceArn') ?? '', asked.get('ResourceArns.member.1') ?? '')];
  return [404, ''];
}

export async function startAccount(): Promise<{ readonly endpoint: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const signed = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ') === true;
    const [status, sent] = signed ? answer(request.url ?? '', request.headers['x-amz-target'], body) : [403, ''];
    response.writeHead(status).end(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
