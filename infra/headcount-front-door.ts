// The front door on AWS, for clients that need its exact CONNACK: a network load balancer that passes TCP on untouched, and
// tasks behind it that end TLS themselves, because the server name says which deployment is meant and no load balancer
// would tell. Tasks have public addresses and let nobody in but the load balancer: through a NAT gateway all of them
// together could hold only 55,000 connections to IoT Core, and would pay for every byte.

import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
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
import { Repository } from 'aws-cdk-lib/aws-ecr';
import {
  AvailabilityZoneRebalancing,
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
  VersionConsistency,
} from 'aws-cdk-lib/aws-ecs';
import { NetworkLoadBalancer, NetworkTargetGroup, Protocol, TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { environmentOfFrontDoor, TargetVariable } from '../shared/config/env.ts';
import { frontDoorHealthPort, frontDoorMqttsPort, frontDoorStopSeconds } from '../shared/config/front-door.ts';
import { measured } from './alarms.ts';
import { grantBroker } from './broker-access.ts';
import { frontDoorCode } from './code.ts';
import { imageForms, parseImageName } from './container-image.ts';
import { domainConfigurationArns } from './domain-configuration.ts';
import { watchFrontDoor } from './front-door-alarms.ts';
import { Rollout } from './rollout.ts';
import { grantTableAccess, tableAccess } from './table-access.ts';

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
  /**
   * Secret of this account and region: `{"certificate": "<PEM, the chain>", "key": "<PEM>"}` for `*.<mqttDomain>`. Its
   * ARN may lack the six characters at the end; its key may be one of KMS's that lets this account's roles use it.
   */
  readonly certificateSecretArn: string;
  /** Minimum number of tasks. @default 2 */
  readonly minTasks?: number;
  /** Maximum number of tasks. @default 10, or minTasks if that is more */
  readonly maxTasks?: number;
  /**
   * Admitted connections of a task that autoscaling aims at. Up to 10,500 leave room for a release, in which the last
   * tasks to be replaced hold up to 2.7 times as many (docs/scale.md). @default 10000
   */
  readonly connectionsPerTask?: number;
  /**
   * A container image that has Node 24 as `node`, named in text: a public one, or one of a private repository of ECR. Its
   * digest (`@sha256:…`) makes it exact. @default the official image of public.ecr.aws, by its tag
   */
  readonly image?: string;
}

/**
 * The endpoint of IoT Core: by its own name, which needs no question and no right, or by its domain configuration, whose
 * name AWS makes and each task asks for when it starts.
 */
export type FrontDoorTarget =
  | { readonly domainName: string }
  | { readonly domainConfigurationName: string; readonly domainConfigurationArn: string };

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

/** What goes with the failed creation of a stack, and stays with its deletion: logs say why a task did not start. */
const keptOnceDeployed = { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE };

/** In bash. The percentage is what functions/rollout answers: ECS would keep that of the last release, for other tasks. */
function replaceTasks({ cluster: { clusterName }, serviceName }: FargateService): string {
  const service = `--cluster ${clusterName} --service`;
  return [
    `n=$(aws ecs describe-services --cluster ${clusterName} --services ${serviceName} --query 'services[0].desiredCount')`,
    `aws ecs update-service ${service} ${serviceName} --force-new-deployment --deployment-configuration "maximumPercent=$((n < 10 ? 100 + (99 + n) / n : 110)),minimumHealthyPercent=100,deploymentCircuitBreaker={enable=true,rollback=true}"`,
  ].join(' && ');
}

/** The front door on AWS: load balancer, tasks, their autoscaling and alarms, in a network of its own. */
export class HeadcountFrontDoor extends Construct {
  constructor(scope: Construct, id: string, props: HeadcountFrontDoorProps) {
    super(scope, id);
    const minTasks = props.minTasks ?? frontDoorDefaults.minTasks;
    const maxTasks = props.maxTasks ?? Math.max(frontDoorDefaults.maxTasks, minTasks);
    const connectionsPerTask = props.connectionsPerTask ?? frontDoorDefaults.connectionsPerTask;
    const vpc = this.#network();
    const cluster = this.#cluster(vpc);
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

    // A number of tasks in the template would undo autoscaling at every release. Without one ECS leaves it as it is; a new
    // service gets one task, and autoscaling makes it minTasks as soon as the service is there. [AWS: ECS, DesiredCount]
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: task,
      assignPublicIp: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroups: [atTask],
      // Zones share the clients evenly, whatever tasks each of them has; so ECS keeps their tasks even.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      // New ones first, at least one and a tenth of all at a time: were all of them replaced at once, all clients would
      // come back at once. What does not start is rolled back.
      minHealthyPercent: 100,
      maxHealthyPercent: new Rollout(this, 'Rollout', { cluster, taskDefinition: task, minTasks }).maximumPercent,
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: Duration.seconds(60),
    });
    // What a task is started with may have to pull a private image.
    service.node.addDependency(task.obtainExecutionRole());
    const targets = this.#targets(vpc);
    const balancer = this.#balancer(vpc, atBalancer, targets);
    targets.addTarget(service.loadBalancerTarget({ containerName: 'FrontDoor', containerPort: frontDoorMqttsPort }));
    this.#scale(service, { minTasks, maxTasks, connectionsPerTask });
    watchFrontDoor(this, { topic: props.alarmTopic, connectionsPerTask, service, targets });

    new CfnOutput(this, 'Next1Dns', {
      description: 'DNS record for the names of all deployments: name, type, value',
      value: `*.${props.mqttDomain} CNAME ${balancer.loadBalancerDnsName}`,
    });
    new CfnOutput(this, 'Next2Connect', {
      description: 'A client, through the front door',
      value: `npx mqtt sub --protocol mqtts -h <deploymentId>.${props.mqttDomain} -p ${frontDoorMqttsPort} --protocolVersion 5 -u alice -P <password> -i first -t <deploymentId>/hello`,
    });
    new CfnOutput(this, 'ReplaceTasks', {
      description: 'Replace all tasks, a tenth at a time, as after a change of the certificate',
      value: replaceTasks(service),
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
    const log = new LogGroup(this, 'Refused', { retention: RetentionDays.ONE_MONTH, ...keptOnceDeployed });
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
    const log = new LogGroup(this, 'Log', { retention: RetentionDays.THREE_MONTHS, ...keptOnceDeployed });
    const tasks = () => new ServicePrincipal('ecs-tasks.amazonaws.com');
    const starter = new Role(this, 'StartRole', { assumedBy: tasks() });
    const role = new Role(this, 'TaskRole', { assumedBy: tasks() });
    const code = frontDoorCode();
    const asset = new Asset(this, 'Code', { path: code.path });
    grantTableAccess(props.table, tableAccess.frontdoor, role);
    const may = (actions: string[], resources: string[]): void =>
      void role.addToPolicy(new PolicyStatement({ actions, resources }));
    const certificate = [props.certificateSecretArn, `${props.certificateSecretArn}-??????`];
    may(
      ['secretsmanager:GetSecretValue'],
      [props.ticketSecret.secretArn, props.passwordKeysSecret.secretArn, ...certificate],
    );
    this.#letDecrypt(role, certificate);
    may(['sqs:SendMessage'], [props.presenceQueue.queueArn]);
    // What another username has under a client id is ended before the id changes hands.
    grantBroker(role, ['iot:DeleteConnection']);
    const target = this.#target(props.connect);
    if (target.describe.length > 0) may(['iot:DescribeDomainConfiguration'], target.describe);
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
      CERTIFICATE_SECRET_ARN: props.certificateSecretArn,
      MQTT_DOMAIN: props.mqttDomain,
      MQTTS_PORT: String(frontDoorMqttsPort),
      HEALTH_PORT: String(frontDoorHealthPort),
    };
    const container = task.addContainer('FrontDoor', {
      image: this.#image(props.image ?? frontDoorDefaults.image, starter),
      // ECS looks a tag up once for each release, and starts all tasks of the release from the digest that it found.
      versionConsistency: VersionConsistency.ENABLED,
      entryPoint: ['node'],
      command: ['--max-old-space-size=3072', '--input-type=module', '-e', code.loader, asset.httpUrl, code.sha256],
      environment: { ...environment, ...target.environment },
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

  /** How a task comes to know the endpoint, and what it may describe for that. */
  #target(connect: FrontDoorTarget): {
    readonly environment: Readonly<Partial<Record<TargetVariable, string>>>;
    readonly describe: string[];
  } {
    if ('domainName' in connect) return { environment: { CONNECT_DOMAIN: connect.domainName }, describe: [] };
    const { domainConfigurationName: name, domainConfigurationArn } = connect;
    return {
      environment: { DOMAIN_CONFIGURATION: name },
      describe: domainConfigurationArns(Stack.of(this), name, domainConfigurationArn),
    };
  }

  /** A secret may be under a key of the operator's, whichever: Secrets Manager alone uses it so, and for this secret. */
  #letDecrypt(role: Role, secretArns: string[]): void {
    const { region, urlSuffix } = Stack.of(this);
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [Stack.of(this).formatArn({ service: 'kms', resource: 'key', resourceName: '*' })],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` },
          StringLike: { 'kms:EncryptionContext:SecretARN': secretArns },
        },
      }),
    );
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]',
      reason:
        'The secret does not tell its key. The conditions allow one use: by Secrets Manager, for the secret of the certificate.',
    });
  }

  /** A private repository of ECR has to let the task's starter pull. */
  #image(image: string, starter: Role): ContainerImage {
    const name = parseImageName(image);
    if (name === undefined) throw new Error(`image must be ${imageForms}; it is ${image}`);
    if (name.kind === 'public') return ContainerImage.fromRegistry(image);
    const { account, region, repository, version } = name;
    const repositoryArn = Stack.of(this).formatArn({
      service: 'ecr',
      account,
      region,
      resource: 'repository',
      resourceName: repository,
    });
    Validations.of(starter).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'A token to log in to ECR is not of one repository. What may be pulled with it is limited to one.',
    });
    // It grants the starter what pulling needs.
    return ContainerImage.fromEcrRepository(
      Repository.fromRepositoryAttributes(this, 'Repository', { repositoryArn, repositoryName: repository }),
      version,
    );
  }

  #balancer(vpc: IVpc, group: SecurityGroup, targets: NetworkTargetGroup): NetworkLoadBalancer {
    const balancer = new NetworkLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: true,
      // With it, two nodes can pass connections of one source address and port on to the same task, which sees one socket:
      // devices behind a NAT that met so would fail to connect. Without it, a zone's node knows the tasks of its zone only.
      // A zone without a healthy task leaves the name of the load balancer within a minute (the TTL of its records), and
      // clients that still try there come back.
      crossZoneEnabled: false,
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
      // The device's own address and port arrive as the source of its packets: no PROXY header has to be believed.
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
