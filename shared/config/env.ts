// Names of the environment variables that functions are configured by, and which function is given which. The stack
// sets exactly these, and a handler reads no other: a function that is not listed for a secret cannot even find it.

export const environmentVariables = {
  /** Lambda and Fargate give it. */
  region: 'AWS_REGION',
  tableName: 'TABLE_NAME',
  /** Key of the front door's tickets, in Secrets Manager. */
  ticketSecretArn: 'TICKET_SECRET_ARN',
  /** Keys that MQTT passwords are stored under, in Secrets Manager. */
  passwordKeysSecretArn: 'PASSWORD_KEYS_SECRET_ARN',
  presenceQueueUrl: 'PRESENCE_QUEUE_URL',
  operationsQueueUrl: 'OPERATIONS_QUEUE_URL',
  /** Certificate and key of the front door, in Secrets Manager. */
  certificateSecretArn: 'CERTIFICATE_SECRET_ARN',
  /** `<deploymentId>.<this>`, and one other label below it, are a deployment's server names at the front door. */
  mqttDomain: 'MQTT_DOMAIN',
  /** Own name of the endpoint of IoT Core that the front door connects to. */
  connectDomain: 'CONNECT_DOMAIN',
  /** Name of the domain configuration of that endpoint, where AWS gave the endpoint its name. */
  domainConfiguration: 'DOMAIN_CONFIGURATION',
  /** Where the front door takes devices, and where it tells the load balancer how it is. */
  mqttsPort: 'MQTTS_PORT',
  healthPort: 'HEALTH_PORT',
  /** Name of the EventBridge bus that threshold notices go to, or shared/config/notices.ts's word for none. */
  noticeBus: 'NOTICE_BUS',
} as const;

export type EnvironmentVariable = (typeof environmentVariables)[keyof typeof environmentVariables];

export const environmentOf = {
  authorizer: ['TABLE_NAME', 'PASSWORD_KEYS_SECRET_ARN', 'TICKET_SECRET_ARN', 'PRESENCE_QUEUE_URL'],
  presence: ['TABLE_NAME', 'PRESENCE_QUEUE_URL', 'NOTICE_BUS'],
  sweeper: ['TABLE_NAME', 'NOTICE_BUS'],
  reconciler: ['TABLE_NAME', 'NOTICE_BUS'],
  'token-keys': ['TABLE_NAME', 'OPERATIONS_QUEUE_URL'],
  api: ['TABLE_NAME', 'PASSWORD_KEYS_SECRET_ARN', 'PRESENCE_QUEUE_URL', 'OPERATIONS_QUEUE_URL'],
  operations: ['TABLE_NAME', 'OPERATIONS_QUEUE_URL'],
  choices: [],
  rollout: [],
} as const satisfies Readonly<Record<string, readonly EnvironmentVariable[]>>;

export type FunctionName = keyof typeof environmentOf;

/** Those that call the database. */
export type TableUser = {
  [Name in FunctionName]: 'TABLE_NAME' extends (typeof environmentOf)[Name][number] ? Name : never;
}[FunctionName];

/** What a function is given where the installation has it: names below the MQTT domain are set and read there. */
export const optionalEnvironmentOf: Readonly<Partial<Record<FunctionName, readonly EnvironmentVariable[]>>> = {
  api: ['MQTT_DOMAIN'],
  authorizer: ['MQTT_DOMAIN'],
};

/** The front door is a process, not a function. */
export const environmentOfFrontDoor = [
  'AWS_REGION',
  'TABLE_NAME',
  'PASSWORD_KEYS_SECRET_ARN',
  'TICKET_SECRET_ARN',
  'PRESENCE_QUEUE_URL',
  'CERTIFICATE_SECRET_ARN',
  'MQTT_DOMAIN',
  'MQTTS_PORT',
  'HEALTH_PORT',
] as const satisfies readonly EnvironmentVariable[];

/** One of them: an own name is known, and the name that AWS gives has to be asked for. */
export type TargetVariable = 'CONNECT_DOMAIN' | 'DOMAIN_CONFIGURATION';
