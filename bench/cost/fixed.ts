// What is paid for by the month, whether a device is there or not.

import type { Line } from './lines.ts';
import {
  cloudwatch,
  fargate,
  lambda,
  loadBalancer,
  machineClientMonth,
  publicIpv4Hour,
  secretMonth,
  sqs,
} from './prices.ts';

/** Counted in the templates by test/bench/cost.test.ts. */
export const deployedCounts = {
  alarms: 17,
  dashboards: 1,
  secrets: 2,
  /** The operator. */
  machineClients: 1,
  /** Functions on a schedule of one minute: sweeper, reconciler, operations. */
  everyMinute: 3,
  /** And on one of ten minutes: the fetcher of token keys. */
  everyTenMinutes: 1,
  /** Queues that Lambda polls: presence, operations. */
  polledQueues: 2,
  frontDoorAlarms: 5,
};

const hoursOfMonth = 730;
/** Written every minute with no device there: five of the sweeper, two of the reconciler. */
const metricsAtRest = 7;
/** What a run without work takes, and the bytes of its log lines: assumptions. */
const idleRun = { seconds: 0.3, gb: 0.5, logBytes: 1_000 };
/**
 * Lambda polls an empty queue with five long polls at a time, and with no fewer where a concurrency is set.
 * [AWS: Configuring scaling behavior for SQS event source mappings] That each lasts the longest there is, is assumed.
 */
const polling = { atOnce: 5, seconds: 20 };

const task = { vcpu: 1, gb: 4 };
const tasks = 2;
const zones = 2;
/** Written each minute by the front door: connections, and of its decisions the latency and four kinds. */
const frontDoorMetrics = 6;

export function fixedLines(): readonly Line[] {
  const { alarms, dashboards, secrets, machineClients, everyMinute, everyTenMinutes, polledQueues } = deployedCounts;
  const minutes = 60 * hoursOfMonth;
  const runs = (everyMinute + everyTenMinutes / 10) * minutes;
  const polls = (polledQueues * polling.atOnce * minutes * 60) / polling.seconds;
  const run = lambda.millionRequests / 1e6 + idleRun.gb * idleRun.seconds * lambda.gbSecond;
  return [
    ['app client of the operator', machineClients * machineClientMonth, 'Cognito, a client that signs in as a machine'],
    ['dashboard', dashboards * cloudwatch.dashboardMonth, ''],
    ['metrics', metricsAtRest * cloudwatch.metricMonth, `${metricsAtRest} that are written with no device there`],
    ['alarms', alarms * cloudwatch.alarmMetricMonth, `${alarms}`],
    ['secrets', secrets * secretMonth, 'keys of the tickets, keys of MQTT passwords'],
    [
      'functions on a schedule',
      runs * run,
      `${everyMinute} a minute and ${everyTenMinutes} in ten, ${idleRun.seconds} s of ${idleRun.gb} GB each (assumed)`,
    ],
    ['their logs', ((runs * idleRun.logBytes) / 1e9) * cloudwatch.logGb, `${idleRun.logBytes} bytes a run (assumed)`],
    [
      'polling of empty queues',
      (polls / 1e6) * sqs.millionRequests,
      `${polledQueues} queues, ${polling.atOnce} requests of ${polling.seconds} s at a time each`,
    ],
    // https://aws.amazon.com/eventbridge/pricing/ charges events of one's own.
    ['schedules', 0, 'rules on a schedule are not charged'],
  ];
}

export function frontDoorLines(): readonly Line[] {
  const taskHour = task.vcpu * fargate.vcpuHour + task.gb * fargate.gbHour;
  const addresses = tasks + zones;
  return [
    ['tasks', tasks * taskHour * hoursOfMonth, `${tasks} of ${task.vcpu} vCPU and ${task.gb} GB, arm64`],
    [
      'load balancer',
      loadBalancer.hour * hoursOfMonth,
      `and $${(loadBalancer.capacityUnitHour * hoursOfMonth).toFixed(2)} a capacity unit: 100,000 connections, or 1 GB an hour`,
    ],
    ['public IPv4 addresses', addresses * publicIpv4Hour * hoursOfMonth, `${addresses}: one a task and a zone`],
    [
      'metrics, alarms, certificate secret',
      frontDoorMetrics * cloudwatch.metricMonth +
        (deployedCounts.frontDoorAlarms + 1) * cloudwatch.alarmMetricMonth +
        secretMonth,
      'Container Insights bills its own metrics on top',
    ],
  ];
}
