// Commands of the AWS CLI that the documents name, with those of their options that they use: `!` is required, `=` takes no
// value. Names as the CLI's reference has them (docs.aws.amazon.com/cli/latest/reference); the CLI itself is no part of this
// repository, so a command that is new in a document is looked up there and added here.

const awsCommands: Readonly<Record<string, string>> = {
  'acm import-certificate': 'certificate! private-key! certificate-arn certificate-chain',
  'cloudformation continue-update-rollback': 'stack-name!',
  'cloudformation delete-stack': 'stack-name!',
  'cloudformation describe-stacks': 'stack-name',
  'cloudformation list-stack-resources': 'stack-name!',
  'cloudformation update-termination-protection': 'stack-name! no-enable-termination-protection!=',
  'cognito-idp admin-add-user-to-group': 'user-pool-id! username! group-name!',
  'cognito-idp admin-remove-user-from-group': 'user-pool-id! username! group-name!',
  'cognito-idp create-group': 'user-pool-id! group-name!',
  'cognito-idp delete-user-pool': 'user-pool-id!',
  'cognito-idp update-user-pool': 'user-pool-id! deletion-protection',
  'configure list': '',
  'dynamodb delete-table': 'table-name!',
  'dynamodb put-item': 'table-name! item!',
  'dynamodb restore-table-to-point-in-time': 'source-table-name target-table-name! use-latest-restorable-time=',
  'dynamodb update-continuous-backups': 'table-name! point-in-time-recovery-specification!',
  'dynamodb update-table': 'table-name! deletion-protection-enabled= no-deletion-protection-enabled=',
  'dynamodb update-time-to-live': 'table-name! time-to-live-specification!',
  'dynamodb wait': 'table-name!',
  'iam create-service-linked-role': 'aws-service-name!',
  'iot delete-domain-configuration': 'domain-configuration-name!',
  'iot update-authorizer': 'authorizer-name! status',
  'iot update-domain-configuration': 'domain-configuration-name! domain-configuration-status remove-authorizer-config=',
  'lambda get-account-settings': '',
  'lambda update-function-configuration': 'function-name! description',
  'secretsmanager delete-secret': 'secret-id!',
  'secretsmanager get-secret-value': 'secret-id!',
  'secretsmanager put-secret-value': 'secret-id! secret-string',
  'service-quotas request-service-quota-increase': 'service-code! quota-code! desired-value!',
  'sts get-caller-identity': '',
};

const ofAll = 'query output region profile';

export interface AwsOption {
  readonly name: string;
  readonly required: boolean;
  readonly takesValue: boolean;
}

export function optionsOfAwsCommand(command: string): readonly AwsOption[] | undefined {
  const options = awsCommands[command];
  return options
    ?.concat(' ', ofAll)
    .trim()
    .split(' ')
    .map((option) => ({
      name: option.replace(/[!=]+$/, ''),
      required: option.includes('!'),
      takesValue: !option.endsWith('='),
    }));
}
