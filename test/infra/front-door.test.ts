// The front door on AWS: who may reach it, what it may do, and that neither a deployment nor an idle hour cuts a device.

import { describe, expect, test } from 'vitest';
import { environmentOfFrontDoor } from '../../shared/config/env.ts';
import { frontDoorDrainMs, frontDoorStopSeconds } from '../../shared/config/front-door.ts';
import { grantsOfRole, propertiesOf, render } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const { frontDoor } = synthTemplates(withFrontDoor);
if (frontDoor === undefined) throw new Error('there is no front door');

interface Container {
  readonly Image: string;
  readonly EntryPoint: readonly string[];
  readonly Command: readonly unknown[];
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly ReadonlyRootFilesystem: boolean;
  readonly User: string;
  readonly StopTimeout: number;
  readonly Ulimits: readonly { readonly Name: string; readonly SoftLimit: number }[];
}

const task = propertiesOf(frontDoor, 'AWS::ECS::TaskDefinition', 'Task') as {
  readonly ContainerDefinitions: readonly Container[];
};
const [container] = task.ContainerDefinitions;
if (container === undefined) throw new Error('the task has no container');

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

describe('a task', () => {
  test('may do what the authorizer may with the table, report, and read three secrets, its endpoint and its code', () => {
    const grants = grantsOfRole(frontDoor, 'TaskRole').map((line) =>
      line.replace(/:::\{"Fn::Sub":"cdk-hnb659fds-assets-[^"]+"\}\/[0-9a-f]{64}\.mjs$/, ':::<CDK assets>/<code>'),
    );
    const others = grants.filter((line) => !line.startsWith('dynamodb:'));
    expect(others).toEqual([
      'iot:DescribeDomainConfiguration ConnectDomain.Arn',
      's3:GetObject arn:AWS::Partition:s3:::<CDK assets>/<code>',
      'secretsmanager:GetSecretValue PasswordKeysSecret',
      'secretsmanager:GetSecretValue TicketSecret',
      `secretsmanager:GetSecretValue ${withFrontDoor.mqttCertificateSecretArn}`,
      'sqs:SendMessage PresenceQueue.Arn',
    ]);
    expect(grants.filter((line) => line.startsWith('dynamodb:')).length).toBeGreaterThan(0);
    expect(JSON.stringify(frontDoor.findResources('AWS::IAM::Policy'))).not.toMatch(/"dynamodb:(\*|Scan)"/);
  });

  test('is started by a role that may write its log, and nothing else', () => {
    expect(grantsOfRole(frontDoor, 'StartRole')).toEqual(['logs:CreateLogStream Log.Arn', 'logs:PutLogEvents Log.Arn']);
  });

  test('is given the variables that are listed for it, and no secret among them', () => {
    expect(container.Environment.map(({ Name }) => Name).sort()).toEqual([...environmentOfFrontDoor].sort());
    expect(JSON.stringify(frontDoor.toJSON())).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
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
    const template = synthTemplates({ ...withFrontDoor, ...chosen }).frontDoor;
    if (template === undefined) throw new Error('there is no front door');
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
    expect(service.DesiredCount).toBe(2);
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

  test('has the bounds that an installation chooses', () => {
    const { service, target, tracking } = scaled({
      frontDoorMinTasks: '4',
      frontDoorMaxTasks: '40',
      frontDoorConnectionsPerTask: '20000',
    });
    expect(service.DesiredCount).toBe(4);
    expect(target).toMatchObject({ MinCapacity: 4, MaxCapacity: 40 });
    expect(tracking).toMatchObject({ TargetValue: 20_000 });
  });
});

describe('a deployment', () => {
  const deploymentOf = (chosen: object): unknown => {
    const template = synthTemplates({ ...withFrontDoor, ...chosen }).frontDoor;
    return template && propertiesOf(template, 'AWS::ECS::Service', 'Service').DeploymentConfiguration;
  };

  test('starts new tasks before old ones go, and takes itself back where they do not come up', () => {
    expect(deploymentOf({})).toMatchObject({
      MinimumHealthyPercent: 100,
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
    });
  });

  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [30, 3],
    [100, 10],
  ])('of %i tasks replaces %i at a time, so that not all clients come back at once', (tasks, more) => {
    const chosen = { frontDoorMinTasks: String(tasks), frontDoorMaxTasks: String(tasks) };
    const { MaximumPercent } = deploymentOf(chosen) as { readonly MaximumPercent: number };
    // ECS rounds down.
    expect(Math.floor((tasks * MaximumPercent) / 100) - tasks).toBe(more);
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

describe('half a choice ends the synthesis', () => {
  test.each([
    ['a front door without a domain', { frontDoor: 'true' }, 'mqttDomain'],
    [
      'an endpoint below the MQTT domain',
      {
        ...withFrontDoor,
        connectDomain: 'iot.mqtt.example.com',
        connectCertificateArn: 'arn:aws:acm:x:1:certificate/1',
      },
      'connectDomain',
    ],
    ['a word that is neither', { frontDoor: 'yes' }, 'frontDoor'],
    ['a certificate that is none', { ...withFrontDoor, mqttCertificateSecretArn: 'mqtt' }, 'mqttCertificateSecretArn'],
    ['a name without its certificate', { connectDomain: 'mqtt.example.com' }, 'connectCertificateArn'],
    ['more at least than at most', { ...withFrontDoor, frontDoorMinTasks: '5', frontDoorMaxTasks: '4' }, 'MaxTasks'],
    ['a scope that there is not', { machineClients: 'ci:settings:reed' }, 'settings:reed'],
    ['a restored table without its stream', { restoredTable: 'restored' }, 'restoredTableStreamArn'],
    ['places that are no number', { authorizerConcurrency: 'many' }, 'authorizerConcurrency'],
    ['a reservation that is not one', { reserve: 'no' }, 'reserve'],
    ['places kept where none are', { reserve: 'false', authorizerConcurrency: '9' }, 'authorizerConcurrency'],
    ['two machines of one name', { machineClients: 'ci:usage:read,ci:usage:read' }, 'different names'],
  ])('%s', (_, chosen, word) => {
    expect(() => synthTemplates(chosen)).toThrow(word);
  });
});
