// The front door on AWS, for whoever wants its exact CONNACK: a network load balancer that passes TCP on untouched, and
// tasks behind it that end TLS themselves, because the server name says which deployment is meant and no load balancer
// would tell. Tasks have public addresses and let nobody in but the load balancer: through a NAT gateway all of them
// together could hold only 55,000 connections to IoT Core, and would pay for every byte.

import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
  UlimitName,
} from 'aws-cdk-lib/aws-ecs';
import { NetworkLoadBalancer, NetworkTargetGroup, Protocol, TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { environmentOfFrontDoor } from '../shared/config/env.ts';
import { frontDoorHealthPort, frontDoorMqttsPort, frontDoorStopSeconds } from '../shared/config/front-door.ts';
import { measured } from './alarms.ts';
import { watchFrontDoor } from './front-door-alarms.ts';
import { grantTableAccess, tableAccess } from './table-access.ts';
import { buildTaskCode } from './task-code.ts';

/**
 * What a front door needs of the rest of Headcount, and what its operator chooses. Everything lies in the account and
 * region of the stack around the construct.
 */
export interface HeadcountFrontDoorProps {
  /** Headcount's table: sessions, limits, credentials. */
  readonly table: ITable;
  /** Key of the tickets that tell the authorizer: this client has been admitted. */
  readonly ticketSecret: Pick<ISecret, 'secretArn'>;
  /** Keys that MQTT passwords are stored under. */
  readonly passwordKeysSecret: Pick<ISecret, 'secretArn'>;
  /** Takes the reports of what became of each client. */
  readonly presenceQueue: IQueue;
  /** Gets the alarms. */
  readonly alarmTopic: ITopic;
  /** Where connections of admitted clients go on to. */
  readonly connect: FrontDoorTarget;
  /** `<deploymentId>.<mqttDomain>` is where the devices of a deployment connect. */
  readonly mqttDomain: string;
  /** In Secrets Manager: `{"certificate": "<PEM, the chain>", "key": "<PEM>"}` for `*.<mqttDomain>`. */
  readonly certificateSecretArn: string;
  /** Minimum number of tasks. @default 2 */
  readonly minTasks?: number;
  /** Maximum number of tasks. @default 10, or minTasks if that is more */
  readonly maxTasks?: number;
  /** Admitted connections of a task that autoscaling aims at. @default 10000 */
  readonly connectionsPerTask?: number;
  /** A container image that has Node 24 as `node`. @default the official image of public.ecr.aws, by its tag */
  readonly image?: string;
}

/** The domain configuration of IoT Core, by the name that AWS gave to its endpoint or by its own. */
export interface FrontDoorTarget {
  readonly domainConfigurationName: string;
  readonly domainConfigurationArn: string;
}

/** What an operator gets who chooses nothing. */
export const frontDoorDefaults = {
  minTasks: 2,
  maxTasks: 10,
  connectionsPerTask: 10_000,
  image: 'public.ecr.aws/docker/library/node:24-slim',
} as const;

/** Longer than any keep-alive: IoT Core allows 1,200 s and waits half as long again. */
const idleSeconds = 3_600;

type Scaling = Readonly<Record<'minTasks' | 'maxTasks' | 'connectionsPerTask', number>>;

export class HeadcountFrontDoor extends Construct {
  constructor(scope: Construct, id: string, props: HeadcountFrontDoorProps) {
    super(scope, id);
    const minTasks = props.minTasks ?? frontDoorDefaults.minTasks;
    const maxTasks = props.maxTasks ?? Math.max(frontDoorDefaults.maxTasks, minTasks);
    const connectionsPerTask = props.connectionsPerTask ?? frontDoorDefaults.connectionsPerTask;
    const vpc = this.#network();
    const task = this.#task(props);
    const atBalancer = new SecurityGroup(this, 'BalancerGroup', {
      vpc,
      description: 'Devices to the load balancer',
      allowAllOutbound: false,
    });
    atBalancer.addIngressRule(Peer.anyIpv4(), Port.tcp(frontDoorMqttsPort), 'Devices, from anywhere');
    Validations.of(atBalancer).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'Devices connect from anywhere; it is one port, and who is behind it asks for credentials first.',
    });
    const atTask = new SecurityGroup(this, 'TaskGroup', { vpc, description: 'The load balancer to the front door' });
    for (const port of [frontDoorMqttsPort, frontDoorHealthPort]) {
      atTask.addIngressRule(atBalancer, Port.tcp(port), 'The load balancer');
      atBalancer.addEgressRule(atTask, Port.tcp(port), 'The front door');
    }

    const service = new FargateService(this, 'Service', {
      cluster: this.#cluster(vpc),
      taskDefinition: task,
      desiredCount: minTasks,
      assignPublicIp: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroups: [atTask],
      // New ones first, at least one and a tenth of all at a time: were all of them replaced at once, all clients would
      // come back at once. What does not start is rolled back.
      minHealthyPercent: 100,
      maxHealthyPercent: 100 + Math.max(10, Math.ceil(100 / minTasks)),
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: Duration.seconds(60),
    });
    const targets = this.#targets(vpc);
    const balancer = this.#balancer(vpc, atBalancer, targets);
    targets.addTarget(service.loadBalancerTarget({ containerName: 'FrontDoor', containerPort: frontDoorMqttsPort }));
    this.#scale(service, { minTasks, maxTasks, connectionsPerTask });
    watchFrontDoor(this, { topic: props.alarmTopic, connectionsPerTask, service, targets });

    new CfnOutput(this, 'Next1Dns', {
      description: 'Point the names of all deployments here (CNAME or alias)',
      value: `*.${props.mqttDomain} -> ${balancer.loadBalancerDnsName}`,
    });
    new CfnOutput(this, 'Next2Connect', {
      description: 'A client, through the front door',
      value: `npx mqtt sub --protocol mqtts -h <deploymentId>.${props.mqttDomain} -p ${frontDoorMqttsPort} --protocolVersion 5 -u alice -P <password> -i first -t <deploymentId>/hello`,
    });
  }

  #network(): IVpc {
    const vpc = new Vpc(this, 'Network', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Public', subnetType: SubnetType.PUBLIC }],
      restrictDefaultSecurityGroup: false,
      // The way to table and code does not leave AWS's network, and costs nothing.
      gatewayEndpoints: {
        Table: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        Code: { service: GatewayVpcEndpointAwsService.S3 },
      },
    });
    const log = new LogGroup(this, 'Refused', { retention: RetentionDays.ONE_MONTH });
    // Of what was refused only: what was let in is as many lines as there are devices.
    vpc.addFlowLog('Refusals', {
      destination: FlowLogDestination.toCloudWatchLogs(log),
      trafficType: FlowLogTrafficType.REJECT,
    });
    return vpc as IVpc;
  }

  #cluster(vpc: IVpc): ICluster {
    return new Cluster(this, 'Cluster', { vpc, containerInsightsV2: ContainerInsights.ENABLED }) as ICluster;
  }

  #task(props: HeadcountFrontDoorProps): FargateTaskDefinition {
    const log = new LogGroup(this, 'Log', { retention: RetentionDays.THREE_MONTHS });
    const tasks = () => new ServicePrincipal('ecs-tasks.amazonaws.com');
    const starter = new Role(this, 'StartRole', { assumedBy: tasks() });
    const role = new Role(this, 'TaskRole', { assumedBy: tasks() });
    const code = buildTaskCode();
    const asset = new Asset(this, 'Code', { path: code.path });
    grantTableAccess(props.table, tableAccess.frontdoor, role);
    const secret = props.certificateSecretArn;
    const may = (actions: string[], resources: string[]): void =>
      void role.addToPolicy(new PolicyStatement({ actions, resources }));
    may(['secretsmanager:GetSecretValue'], [props.ticketSecret.secretArn, props.passwordKeysSecret.secretArn, secret]);
    may(['sqs:SendMessage'], [props.presenceQueue.queueArn]);
    may(['iot:DescribeDomainConfiguration'], [props.connect.domainConfigurationArn]);
    may(['s3:GetObject'], [asset.bucket.arnForObjects(asset.s3ObjectKey)]);

    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: 1_024,
      memoryLimitMiB: 4_096,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      executionRole: starter,
      taskRole: role,
    });
    const environment: Record<(typeof environmentOfFrontDoor)[number], string> = {
      AWS_REGION: Stack.of(this).region,
      TABLE_NAME: props.table.tableName,
      PASSWORD_KEYS_SECRET_ARN: props.passwordKeysSecret.secretArn,
      TICKET_SECRET_ARN: props.ticketSecret.secretArn,
      PRESENCE_QUEUE_URL: props.presenceQueue.queueUrl,
      CERTIFICATE_SECRET_ARN: secret,
      MQTT_DOMAIN: props.mqttDomain,
      DOMAIN_CONFIGURATION: props.connect.domainConfigurationName,
      MQTTS_PORT: String(frontDoorMqttsPort),
      HEALTH_PORT: String(frontDoorHealthPort),
    };
    const container = task.addContainer('FrontDoor', {
      image: ContainerImage.fromRegistry(props.image ?? frontDoorDefaults.image),
      entryPoint: ['node'],
      command: ['--max-old-space-size=3072', '--input-type=module', '-e', code.loader, asset.httpUrl, code.sha256],
      environment,
      logging: LogDrivers.awsLogs({ logGroup: log, streamPrefix: 'frontdoor' }),
      user: '1000:1000',
      readonlyRootFilesystem: true,
      stopTimeout: Duration.seconds(frontDoorStopSeconds),
    });
    // Two sockets a client.
    container.addUlimits({ name: UlimitName.NOFILE, softLimit: 65_535, hardLimit: 65_535 });
    container.addPortMappings({ containerPort: frontDoorMqttsPort }, { containerPort: frontDoorHealthPort });
    Validations.of(task).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason:
        'The variables are names of resources. What is secret is read from Secrets Manager by the process itself.',
    });
    return task;
  }

  #balancer(vpc: IVpc, group: SecurityGroup, targets: NetworkTargetGroup): NetworkLoadBalancer {
    const balancer = new NetworkLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: true,
      crossZoneEnabled: true,
      securityGroups: [group],
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
    });
    Validations.of(balancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: 'A network load balancer logs requests of TLS listeners only, and TLS ends behind it.',
    });
    const listener = balancer.addListener('Mqtts', {
      port: frontDoorMqttsPort,
      protocol: Protocol.TCP,
      tcpIdleTimeout: Duration.seconds(idleSeconds),
      defaultTargetGroups: [targets],
    });
    Validations.of(listener).acknowledge({
      id: 'AwsSolutions-ELB5',
      reason:
        'TLS ends in the front door: a TLS listener hides the server name from it and cuts idle clients at 350 s.',
    });
    return balancer;
  }

  #targets(vpc: IVpc): NetworkTargetGroup {
    const targets = new NetworkTargetGroup(this, 'Targets', {
      vpc,
      port: frontDoorMqttsPort,
      protocol: Protocol.TCP,
      targetType: TargetType.IP,
      // The device's own address arrives as the source of its packets: no PROXY header has to be believed.
      preserveClientIp: true,
      // ECS stops a task only after this; it takes nobody new meanwhile, and then has its own time to let clients go.
      deregistrationDelay: Duration.seconds(30),
      connectionTermination: false,
      healthCheck: {
        protocol: Protocol.HTTP,
        port: String(frontDoorHealthPort),
        path: '/healthz',
        interval: Duration.seconds(10),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    });
    // A task that does not answer for a moment must not lose the ten thousand clients that it holds.
    targets.setAttribute('target_health_state.unhealthy.connection_termination.enabled', 'false');
    return targets;
  }

  #scale(service: FargateService, choice: Scaling): void {
    const scaling = service.autoScaleTaskCount({ minCapacity: choice.minTasks, maxCapacity: choice.maxTasks });
    scaling.scaleToTrackCustomMetric('Connections', {
      // Each task tells of its own once a minute; the mean is what one task carries.
      metric: measured('Connections', 'frontdoor', Stats.AVERAGE),
      targetValue: choice.connectionsPerTask,
      scaleOutCooldown: Duration.minutes(1),
      // A task that goes takes its clients' connections with it.
      scaleInCooldown: Duration.minutes(30),
    });
  }
}
