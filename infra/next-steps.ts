// What an installation says when it is deployed: its addresses, the DNS records that its own names need, and the commands
// that follow, with the names of this installation in them.

import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { ConnectEndpoint } from './connect-endpoint.ts';
import { mqttsPort } from './connect-endpoint.ts';
import type { EndpointName } from './endpoint-name.ts';
import type { HeadcountConsole } from './headcount-console.ts';
import type { HeadcountCore } from './headcount-core.ts';
import type { HeadcountState } from './headcount-state.ts';
import type { HeadcountWeb } from './headcount-web.ts';

const say = (stack: Stack, name: string, description: string, value: string): void =>
  void new CfnOutput(stack, name, { description, value });

export function sayCore(stack: Stack, { connect, alarmTopic }: HeadcountCore, replaced: ITable | undefined): void {
  // It is read here so that the state stack goes on telling it: stacks that cannot be updated to the restored table go back.
  if (replaced !== undefined)
    say(
      stack,
      'ReplacedTable',
      'Name and ARN of the table that a restored one has taken the place of',
      `${replaced.tableName} ${replaced.tableArn}`,
    );
  new CfnOutput(stack, 'AuthorizerName', { value: connect.authorizer.ref });
  say(
    stack,
    'NextAlarms',
    'Be told of alarms',
    `aws sns subscribe --topic-arn ${alarmTopic.topicArn} --protocol email --notification-endpoint you@example.com`,
  );
}

export interface WebSteps {
  readonly web: HeadcountWeb;
  readonly state: HeadcountState;
  readonly connect: ConnectEndpoint;
  readonly endpoint: EndpointName;
}

export function sayWeb(stack: Stack, { web, state, connect, endpoint }: WebSteps): void {
  const { signIn, table } = state;
  const pool = signIn.pool.userPoolId;
  const next = (name: string, description: string, value: string): void => say(stack, name, description, value);
  next('ApiUrl', 'Base of the HTTP API', web.apiUrl);
  next('TokenUrl', 'Where a machine gets its token', `${signIn.domain.baseUrl()}/oauth2/token`);
  // Whatever the endpoint's name is, this stack reads both of the other one: its outputs stay, so that a stack which has to
  // go back to reading them can.
  next('DomainConfigurationName', 'The endpoint, as IoT Core calls it', connect.domain.ref);
  next('DomainConfigurationArn', 'The same', connect.domain.attrArn);
  next('UserPoolId', 'Who may sign in', pool);
  next('OperatorClientId', 'App client of whoever runs this installation', web.operator.userPoolClientId);
  if (connect.ownName !== undefined && endpoint.recordTarget !== undefined)
    next('Next0Dns', 'DNS record of the endpoint', `${connect.ownName} CNAME ${endpoint.recordTarget}`);
  const letIn = (client: UserPoolClient, tenantId: string): string =>
    `aws dynamodb put-item --table-name ${table.tableName} --item '{"pk":{"S":"I|${client.userPoolClientId}"},"sk":{"S":"machine"},"tenantId":{"S":"${tenantId}"}}'`;
  const token = (client: UserPoolClient, into: string): string =>
    `SECRET=$(aws cognito-idp describe-user-pool-client --user-pool-id ${pool} --client-id ${client.userPoolClientId} --query UserPoolClient.ClientSecret --output text); ${into}=$(curl -s -u "${client.userPoolClientId}:$SECRET" -d grant_type=client_credentials ${signIn.domain.baseUrl()}/oauth2/token | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')`;
  next('Next1Operator', 'Once: let the operator in', letIn(web.operator, 'operator'));
  next('Next2Token', 'A token of the operator', token(web.operator, 'TOKEN'));
  next(
    'Next3Tenant',
    'A tenant',
    `curl -X POST ${web.apiUrl}/v1/tenants -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"tenantId":"acme"}'`,
  );
  next(
    'Next3Group',
    'Its administrators; a group tenant:acme:reader or tenant:acme:operator allows less',
    `aws cognito-idp create-group --user-pool-id ${pool} --group-name tenant:acme:admin`,
  );
  next(
    'Next4Person',
    'A person of that tenant, who may sign in to the console',
    `aws cognito-idp admin-create-user --user-pool-id ${pool} --username ann@example.com --user-attributes Name=email,Value=ann@example.com Name=email_verified,Value=true && aws cognito-idp admin-add-user-to-group --user-pool-id ${pool} --username ann@example.com --group-name tenant:acme:admin`,
  );
  for (const [n, { name, client }] of web.machines.entries())
    next(
      `Next4Machine${n + 1}`,
      `Once, and then for each token: the machine "${name}", for that tenant`,
      `${letIn(client, 'acme')} && ${token(client, 'TENANT_TOKEN')}`,
    );
  const send = (method: string, path: string, body: string): string =>
    `curl -X ${method} ${web.apiUrl}/v1${path} -H "Authorization: Bearer $TENANT_TOKEN" -H 'Content-Type: application/json' -d '${body}'`;
  next(
    'Next5Deployment',
    'A deployment: in the console, or like this with the token of a machine of that tenant (docs/deploy.md)',
    send('POST', '/deployments', '{"name":"demo"}'),
  );
  next(
    'Next6User',
    'An MQTT user of it, in the console or like this; the password that is answered is shown once',
    send('PUT', '/deployments/<deploymentId>/credentials/alice', '{}'),
  );
  next(
    'Next7Connect',
    'A client, straight to IoT Core',
    `npx mqtt sub --protocol mqtts -h ${endpoint.hostName} -p ${mqttsPort} -u 'alice?deployment=<deploymentId>' -P <password> -i <deploymentId>:first -t <deploymentId>/hello`,
  );
}

export function sayConsole(stack: Stack, { url, site }: HeadcountConsole): void {
  say(stack, 'ConsoleUrl', 'The console', url);
  if (site.ownName !== undefined)
    say(stack, 'Next0Dns', 'DNS record of the console (or an alias)', `${site.ownName} CNAME ${site.domainName}`);
}
