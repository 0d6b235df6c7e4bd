// List prices that docs/cost.md is computed from, in US dollars.

/** Of AWS's public price pages. Free tiers and volume discounts are left out: nobody should plan with them. */
export const pricesOf = { region: 'us-east-1', asOf: 'November 2026' } as const;

/** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
export const dynamodb = {
  millionWriteUnits: 0.625,
  millionReadUnits: 0.125,
  gbMonth: 0.25,
  /** Charged on top of each item and each entry of an index. */
  bytesOfEntry: 100,
  /** Point-in-time recovery. */
  backupGbMonth: 0.2,
} as const;

/** https://aws.amazon.com/lambda/pricing/, arm64 */
export const lambda = { millionRequests: 0.2, gbSecond: 0.0000133334 } as const;

/** https://aws.amazon.com/sqs/pricing/, standard queues. An empty answer is a request like any other. */
export const sqs = { millionRequests: 0.4 } as const;

/** https://aws.amazon.com/iot-core/pricing/; a CONNECT is metered as a message of its size. */
export const iotCore = {
  millionMinutesConnected: 0.08,
  millionMessages: 1,
  millionRulesTriggered: 0.15,
  millionRuleActions: 0.15,
} as const;

/** https://aws.amazon.com/cloudwatch/pricing/ */
export const cloudwatch = {
  logGb: 0.5,
  metricMonth: 0.3,
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
} as const;

/** https://aws.amazon.com/secrets-manager/pricing/ */
export const secretMonth = 0.4;

/** https://aws.amazon.com/cognito/pricing/, an app client that signs in as a machine */
export const machineClientMonth = 6;

/** https://aws.amazon.com/fargate/pricing/, Linux on ARM */
export const fargate = { vcpuHour: 0.03238, gbHour: 0.00356 } as const;

/** https://aws.amazon.com/elasticloadbalancing/pricing/, network load balancer */
export const loadBalancer = { hour: 0.0225, capacityUnitHour: 0.006 } as const;

/** https://aws.amazon.com/vpc/pricing/ */
export const publicIpv4Hour = 0.005;
