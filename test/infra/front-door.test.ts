// The front door on AWS: who may reach it, what it may do, and that neither a deployment nor an idle hour cuts a device.

import { execFileSync } from 'node:child_process';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { decideMaximumPercent } from '../../functions/rollout/maximum-percent.ts';
import { environmentOfFrontDoor } from '../../shared/config/env.ts';
import { frontDoorDrainMs, frontDoorStopSeconds } from '../../shared/config/front-door.ts';
import { grantsOfRole, propertiesOf, render } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const { frontDoor } = synthTemplates(withFrontDoor);
if (frontDoor === undefined) throw new Error('there is no front door');

interface Container {
  readonly Image: unknown;
  readonly EntryPoint: readonly string[];
  readonly Command: readonly unknown[];
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly ReadonlyRootFilesystem: boolean;
  readonly User: string;
  readonly StopTimeout: number;
  readonly Ulimits: readonly { readonly Name: string; readonly SoftLimit: number }[];
}

const acmCertificate = 'arn:aws:acm:eu-central-1:111111111111:certificate/1';

function frontDoorWith(chosen: object): Template {
  const template = synthTemplates({ ...withFrontDoor, ...chosen }).frontDoor;
  if (template === undefined) throw new Error('there is no front door');
  return template;
}

function containerOf(template: Template): Container {
  const task = propertiesOf(template, 'AWS::ECS::TaskDefinition', 'Task') as {
    readonly ContainerDefinitions: readonly Container[];
  };
  const [only] = task.ContainerDefinitions;
  if (only === undefined) throw new Error('the task has no container');
  return only;
}

const container = containerOf(frontDoor);
const [clusterId] = Object.keys(frontDoor.findResources('AWS::ECS::Cluster'));

test('there is none unless the context asks for it', () => {
  expect(synthTemplates().frontDoor).toBeUndefined();
});

describe('the way of a connection', () => {
  test('TCP from end to end: the server name reaches the front door, and an idle device stays for an hour', () => {
    const listener = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::Listener', 'BalancerMqtts');
    expect(listener).toMatchObject({ Port: 8883, Protocol: 'TCP' });
    expect(listener.ListenerAttributes).toContainEqual({ Key: 'tcp.idle_timeout.seconds', Value: '3600' });
    const targets = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'Targets');
    expect(targets).toMatchObject({
      Protocol: 'TCP',
      TargetType: 'ip',
      HealthCheckProtocol: 'HTTP',
      HealthCheckPort: '8080',
      HealthCheckPath: '/healthz',
    });
  });

  test('two devices behind one address that meet on a source port never share a task: each zone keeps to its tasks', () => {
    const { LoadBalancerAttributes } = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'Balancer');
    expect(LoadBalancerAttributes).toContainEqual({ Key: 'load_balancing.cross_zone.enabled', Value: 'false' });
    expect(propertiesOf(frontDoor, 'AWS::ECS::Service', 'Service').AvailabilityZoneRebalancing).toBe('ENABLED');
  });

  test('the DNS record that it needs is told: name, type, value', () => {
    const { Value } = frontDoor.findOutputs('Next1Dns').Next1Dns as { readonly Value: unknown };
    expect(render(Value)).toBe('*.mqtt.example.com CNAME Balancer.DNSName');
  });

  test("the device's own address arrives, so nobody has to be believed about it", () => {
    const { TargetGroupAttributes } = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'Targets');
    expect(TargetGroupAttributes).toContainEqual({ Key: 'preserve_client_ip.enabled', Value: 'true' });
  });

  test('only the load balancer reaches a task, and anybody only its one port', () => {
    const rules = Object.values(frontDoor.findResources('AWS::EC2::SecurityGroupIngress')).map(
      ({ Properties }) => `${render(Properties.SourceSecurityGroupId)} ${Properties.FromPort}-${Properties.ToPort}`,
    );
    expect(rules.sort()).toEqual(['BalancerGroup.GroupId 8080-8080', 'BalancerGroup.GroupId 8883-8883']);
    expect(propertiesOf(frontDoor, 'AWS::EC2::SecurityGroup', 'TaskGroup')).not.toHaveProperty('SecurityGroupIngress');
    const open = propertiesOf(frontDoor, 'AWS::EC2::SecurityGroup', 'BalancerGroup').SecurityGroupIngress;
    expect(open).toMatchObject([{ CidrIp: '0.0.0.0/0', FromPort: 8883, ToPort: 8883, IpProtocol: 'tcp' }]);
  });

  test('no NAT gateway stands between the tasks and IoT Core', () => {
    frontDoor.resourceCountIs('AWS::EC2::NatGateway', 0);
    expect(propertiesOf(frontDoor, 'AWS::ECS::Service', 'Service')).toMatchObject({
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
  });
});

/** As CloudFormation joins it. */
const inRegion = (prefix: string): object => ({
  'Fn::Join': ['', [prefix, { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
});
/** A secret may be named by its ARN without the six characters that Secrets Manager puts at the end. */
const certificate = [withFrontDoor.mqttCertificateSecretArn, `${withFrontDoor.mqttCertificateSecretArn}-??????`];

describe('a task', () => {
  test('may do what the authorizer may with the table, report, end connections, and read three secrets, its endpoint and its code', () => {
    const grants = grantsOfRole(frontDoor, 'TaskRole').map((line) =>
      line.replace(/:::\{"Fn::Sub":"cdk-hnb659fds-assets-[^"]+"\}\/[0-9a-f]{64}\.mjs$/, ':::<CDK assets>/<code>'),
    );
    const others = grants.filter((line) => !line.startsWith('dynamodb:'));
    expect(others).toEqual([
      'iot:DeleteConnection arn:AWS::Partition:iot:AWS::Region:AWS::AccountId:client/*:*',
      // Both forms of its ARN that AWS publishes.
      'iot:DescribeDomainConfiguration ConnectDomain.Arn',
      'iot:DescribeDomainConfiguration arn:AWS::Partition:iot:AWS::Region:AWS::AccountId:domainconfiguration/ConnectDomain',
      `kms:Decrypt arn:AWS::Partition:kms:AWS::Region:AWS::AccountId:key/* if ${JSON.stringify({
        StringEquals: { 'kms:ViaService': inRegion('secretsmanager.') },
        StringLike: { 'kms:EncryptionContext:SecretARN': certificate },
      })}`,
      's3:GetObject arn:AWS::Partition:s3:::<CDK assets>/<code>',
      'secretsmanager:GetSecretValue PasswordKeysSecret',
      'secretsmanager:GetSecretValue TicketSecret',
      ...certificate.map((arn) => `secretsmanager:GetSecretValue ${arn}`),
      'sqs:SendMessage PresenceQueue.Arn',
    ]);
    expect(grants.filter((line) => line.startsWith('dynamodb:')).length).toBeGreaterThan(0);
    expect(JSON.stringify(frontDoor.findResources('AWS::IAM::Policy'))).not.toMatch(/"dynamodb:(\*|Scan)"/);
  });

  test('is started by a role that may write its log, and nothing else', () => {
    expect(grantsOfRole(frontDoor, 'StartRole')).toEqual(['logs:CreateLogStream Log.Arn', 'logs:PutLogEvents Log.Arn']);
  });

  test('is given the variables that are listed for it, and no secret among them', () => {
    const names = [...environmentOfFrontDoor, 'DOMAIN_CONFIGURATION'];
    expect(container.Environment.map(({ Name }) => Name).sort()).toEqual(names.sort());
    expect(JSON.stringify(frontDoor.toJSON())).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
  });

  test('is told an own name of the endpoint as it is, and may describe nothing', () => {
    const own = frontDoorWith({ connectDomain: 'iot.example.com', connectCertificateArn: acmCertificate });
    expect(containerOf(own).Environment).toContainEqual({ Name: 'CONNECT_DOMAIN', Value: 'iot.example.com' });
    expect(JSON.stringify(own.toJSON())).not.toMatch(/DOMAIN_CONFIGURATION|DescribeDomainConfiguration|ConnectDomain/);
  });

  test('is of the same image as all others of its release, though the image has a tag only', () => {
    expect(container).toMatchObject({
      Image: 'public.ecr.aws/docker/library/node:24-slim',
      VersionConsistency: 'enabled',
    });
  });

  test.each([
    [
      'an image of a private repository of ECR',
      '222222222222.dkr.ecr.eu-central-1.amazonaws.com/base/node:24',
      [
        'ecr:BatchCheckLayerAvailability arn:AWS::Partition:ecr:eu-central-1:222222222222:repository/base/node',
        'ecr:BatchGetImage arn:AWS::Partition:ecr:eu-central-1:222222222222:repository/base/node',
        'ecr:GetAuthorizationToken *',
        'ecr:GetDownloadUrlForLayer arn:AWS::Partition:ecr:eu-central-1:222222222222:repository/base/node',
      ],
    ],
    ['a public image, by its digest', `docker.io/library/node@sha256:${'a'.repeat(64)}`, []],
  ])('of %s is started by a role that may pull this one', (_, frontDoorImage, pulls) => {
    const template = frontDoorWith({ frontDoorImage });
    expect(render(containerOf(template).Image).replace('AWS::URLSuffix', 'amazonaws.com')).toBe(frontDoorImage);
    expect(grantsOfRole(template, 'StartRole').filter((line) => !line.startsWith('logs:'))).toEqual(pulls);
  });

  test('runs as nobody, writes no file, and holds two sockets for each of the clients it scales for', () => {
    expect(container).toMatchObject({ ReadonlyRootFilesystem: true, User: '1000:1000' });
    expect(container.Ulimits[0]).toMatchObject({ Name: 'nofile', SoftLimit: 65_535 });
    const { TargetTrackingScalingPolicyConfiguration: target } = propertiesOf(
      frontDoor,
      'AWS::ApplicationAutoScaling::ScalingPolicy',
      'ServiceTaskCountTargetConnections',
    ) as { readonly TargetTrackingScalingPolicyConfiguration: { readonly TargetValue: number } };
    expect(target).toMatchObject({ TargetValue: 10_000, CustomizedMetricSpecification: { MetricName: 'Connections' } });
    expect(container.Ulimits[0]?.SoftLimit).toBeGreaterThan(3 * target.TargetValue);
  });

  test('fetches its code by a script that stands in the template, and holds it against a digest that does', () => {
    expect(container.EntryPoint).toEqual(['node']);
    const [, , , script, , digest] = container.Command;
    expect(String(script)).toContain('this is not the code that was built');
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('scaling', () => {
  const scaled = (chosen: object) => {
    const template = frontDoorWith(chosen);
    const target = propertiesOf(template, 'AWS::ApplicationAutoScaling::ScalableTarget', 'ServiceTaskCountTarget');
    const { TargetTrackingScalingPolicyConfiguration: tracking } = propertiesOf(
      template,
      'AWS::ApplicationAutoScaling::ScalingPolicy',
      'ServiceTaskCountTargetConnections',
    );
    return { service: propertiesOf(template, 'AWS::ECS::Service', 'Service'), target, tracking };
  };

  test('follows the connections that a task carries: up within minutes, down so slowly that clients are not chased', () => {
    const { service, target, tracking } = scaled({});
    expect(service).not.toHaveProperty('DesiredCount');
    expect(target).toMatchObject({ MinCapacity: 2, MaxCapacity: 10, ScalableDimension: 'ecs:service:DesiredCount' });
    expect(tracking).toMatchObject({
      TargetValue: 10_000,
      CustomizedMetricSpecification: {
        Namespace: 'Headcount',
        MetricName: 'Connections',
        Dimensions: [{ Name: 'component', Value: 'frontdoor' }],
        Statistic: 'Average',
      },
      ScaleOutCooldown: 60,
      ScaleInCooldown: 1_800,
    });
  });

  test('is undone by no release: the template says nothing of the number of tasks but its bounds', () => {
    expect(JSON.stringify(frontDoor.findResources('AWS::ECS::Service'))).not.toContain('DesiredCount');
  });

  test('has the bounds that an installation chooses', () => {
    const { service, target, tracking } = scaled({
      frontDoorMinTasks: '4',
      frontDoorMaxTasks: '40',
      frontDoorConnectionsPerTask: '20000',
    });
    expect(service).not.toHaveProperty('DesiredCount');
    expect(target).toMatchObject({ MinCapacity: 4, MaxCapacity: 40 });
    expect(tracking).toMatchObject({ TargetValue: 20_000 });
  });
});

describe('a deployment', () => {
  const { DeploymentConfiguration } = propertiesOf(frontDoor, 'AWS::ECS::Service', 'Service');
  const asked = propertiesOf(frontDoor, 'Custom::HeadcountRollout', 'RolloutPercent');

  test('starts new tasks before old ones go, and takes itself back where they do not come up', () => {
    expect(DeploymentConfiguration).toMatchObject({
      MinimumHealthyPercent: 100,
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
    });
  });

  test('asks ECS before each release how many tasks there are, and has that many decide how many go at a time', () => {
    expect(render((DeploymentConfiguration as { readonly MaximumPercent: unknown }).MaximumPercent)).toBe(
      'RolloutPercent.MaximumPercent',
    );
    const given = Object.entries(asked).map(([name, value]) => `${name} ${render(value)}`);
    expect(given).toEqual([
      'ServiceToken RolloutFunction.Arn',
      'ServiceTimeout 300',
      'Cluster Cluster',
      'MinTasks 2',
      // Whatever changes the code, its image or its variables is a new one of these.
      'TaskDefinition Task',
    ]);
  });

  test('may ask ECS about the services of its own cluster, and do nothing else', () => {
    const condition = JSON.stringify({ ArnEquals: { 'ecs:cluster': { 'Fn::GetAtt': [clusterId, 'Arn'] } } });
    const grants = grantsOfRole(frontDoor, 'RolloutFunctionRole').filter((line) => !/^logs:/.test(line));
    expect(grants).toEqual(['DescribeServices', 'ListServices'].map((action) => `ecs:${action} * if ${condition}`));
    expect(Object.keys(frontDoor.findResources('AWS::ECS::Service'))).toHaveLength(1);
    const { Environment } = propertiesOf(frontDoor, 'AWS::Lambda::Function', 'RolloutFunction');
    expect(Environment).toEqual({ Variables: { NODE_OPTIONS: '--enable-source-maps' } });
  });

  test('that an operator begins by hand replaces as many at a time as one of CloudFormation', () => {
    const { Value } = frontDoor.findOutputs('ReplaceTasks').ReplaceTasks as { readonly Value: unknown };
    const [, arithmetic = ''] = /maximumPercent=(\$\(\(.+?\)\)),/.exec(render(Value)) ?? [];
    const counts = [1, 2, 3, 7, 9, 10, 11, 20, 100];
    const script = `for n in ${counts.join(' ')}; do echo ${arithmetic}; done`;
    const said = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n').map(Number);
    expect(said).toEqual(counts.map(decideMaximumPercent));
  });

  test('leaves a task the time to let its clients go one by one', () => {
    expect(container.StopTimeout).toBe(frontDoorStopSeconds);
    expect(frontDoorDrainMs).toBeLessThan(frontDoorStopSeconds * 1_000);
    const { TargetGroupAttributes } = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'Targets');
    expect(TargetGroupAttributes).toContainEqual({
      Key: 'deregistration_delay.connection_termination.enabled',
      Value: 'false',
    });
    expect(TargetGroupAttributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '30' });
  });
});

test('a task that does not answer its health check for a moment keeps the clients that it holds', () => {
  const { TargetGroupAttributes } = propertiesOf(frontDoor, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'Targets');
  expect(TargetGroupAttributes).toContainEqual({
    Key: 'target_health_state.unhealthy.connection_termination.enabled',
    Value: 'false',
  });
});

test('logs go with the creation that failed, and stay with everything that was deployed', () => {
  const groups = Object.values(frontDoor.findResources('AWS::Logs::LogGroup'));
  expect(groups.length).toBeGreaterThan(2);
  for (const { DeletionPolicy } of groups) expect(DeletionPolicy).toBe('RetainExceptOnCreate');
});

describe('half a choice ends the synthesis', () => {
  test.each([
    ['a front door without a domain', { frontDoor: 'true' }, 'mqttDomain'],
    [
      'an endpoint below the MQTT domain',
      {
        ...withFrontDoor,
        connectDomain: 'iot.mqtt.example.com',
        connectCertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/1',
      },
      'connectDomain',
    ],
    ['a word that is neither', { frontDoor: 'yes' }, 'frontDoor'],
    ['a certificate that is none', { ...withFrontDoor, mqttCertificateSecretArn: 'mqtt' }, 'mqttCertificateSecretArn'],
    [
      'half the ARN of a certificate',
      { ...withFrontDoor, mqttCertificateSecretArn: 'arn:aws:secretsmanager:eu-central-1:secret:mqtt' },
      'allowed is a whole ARN',
    ],
    ['an image that is none', { ...withFrontDoor, frontDoorImage: 'node:24 slim' }, 'frontDoorImage is'],
    [
      'a digest that is none',
      { ...withFrontDoor, frontDoorImage: 'public.ecr.aws/docker/library/node@sha256:24' },
      'frontDoorImage is',
    ],
    [
      'an image of ECR by an address that says no account',
      { ...withFrontDoor, frontDoorImage: 'ecr.eu-central-1.amazonaws.com/node:24' },
      'frontDoorImage is',
    ],
    ['a name without its certificate', { connectDomain: 'mqtt.example.com' }, 'connectCertificateArn'],
    ['more at least than at most', { ...withFrontDoor, frontDoorMinTasks: '5', frontDoorMaxTasks: '4' }, 'MaxTasks'],
    ['a scope that there is not', { machineClients: 'ci:settings:reed' }, 'settings:reed'],
    ['a restored table that can be none', { restoredTable: 'a' }, 'restoredTable'],
    ['places that are no number', { authorizerConcurrency: 'many' }, 'authorizerConcurrency'],
    ['a reservation that is not one', { reserve: 'no' }, 'reserve'],
    ['places kept where none are', { reserve: 'false', authorizerConcurrency: '9' }, 'authorizerConcurrency'],
    ['two machines of one name', { machineClients: 'ci:usage:read,ci:usage:read' }, 'different names'],
  ])('%s', (_, chosen, word) => {
    expect(() => synthTemplates(chosen)).toThrow(word);
  });
});
