// Names of the environment variables that functions are configured by, and which function is given which. The stack
// sets exactly these, and a handler reads no other: whoever is not listed for the ticket secret cannot even find it.

export const environmentVariables = {
  tableName: 'TABLE_NAME',
  /** Key of the front door's tickets, in Secrets Manager. */
  ticketSecretArn: 'TICKET_SECRET_ARN',
  presenceQueueUrl: 'PRESENCE_QUEUE_URL',
  /** Set by Lambda itself. */
  region: 'AWS_REGION',
  operationsQueueUrl: 'OPERATIONS_QUEUE_URL',
} as const;

export type EnvironmentVariable = (typeof environmentVariables)[keyof typeof environmentVariables];

export const environmentOf = {
  authorizer: ['TABLE_NAME', 'TICKET_SECRET_ARN', 'PRESENCE_QUEUE_URL'],
  presence: ['TABLE_NAME', 'PRESENCE_QUEUE_URL'],
  sweeper: ['TABLE_NAME'],
  'token-keys': ['TABLE_NAME'],
  api: ['TABLE_NAME', 'PRESENCE_QUEUE_URL', 'OPERATIONS_QUEUE_URL'],
  operations: ['TABLE_NAME', 'OPERATIONS_QUEUE_URL'],
} as const satisfies Readonly<Record<string, readonly EnvironmentVariable[]>>;

export type FunctionName = keyof typeof environmentOf;
