// What people and machines reach over HTTP: the API's gateway, the console, and who may sign in to them. It is apart
// from the path of a CONNECT: nothing that is deployed here can touch that.

import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, Fn, Lazy, Stack, type StackProps } from 'aws-cdk-lib';
import { ClientAttributes, OAuthScope, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { CfnDomainConfiguration } from 'aws-cdk-lib/aws-iot';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { resourceServer, tenantScopes } from '../shared/config/scopes.ts';
import { addAlarms, summed } from './alarms.ts';
import { ConsoleSite } from './console-site.ts';
import { EndpointName } from './endpoint-name.ts';
import { HttpEntrance } from './http-entrance.ts';
import type { Installation } from './installation.ts';
import type { SignIn } from './sign-in.ts';

export interface WebStackProps extends StackProps {
  readonly installation: Installation;
  readonly api: IFunction;
  readonly signIn: SignIn;
  readonly table: ITable;
  /** Where devices connect that go straight to IoT Core. */
  readonly connectDomain: CfnDomainConfiguration;
  readonly alarmTopic: ITopic;
}

/** What the commands that follow are made of. */
interface Next {
  readonly api: string;
  readonly site: string;
  readonly connectHost: string;
  readonly signIn: SignIn;
  readonly table: ITable;
  readonly operator: UserPoolClient;
  readonly machines: readonly { readonly name: string; readonly client: UserPoolClient }[];
}

const mqttsPort = 8883;

const builtConsole = fileURLToPath(new URL('../console/dist', import.meta.url));

/** What the console may do for the person at it: everything that a tenant may do. Never for the installation. */
const consoleScopes = tenantScopes;

export class WebStack extends Stack {
  constructor(scope: Construct, id: string, props: WebStackProps) {
    super(scope, id, props);
    const { installation, signIn, table } = props;
    const operator = this.#machine(signIn, 'operator', ['tenants:admin']);
    const machines = installation.machineClients.map(({ name, scopes }) => ({
      name,
      client: this.#machine(signIn, name, scopes),
    }));

    // The console's address is known before its client is, and its client before the API takes its tokens.
    const audience: string[] = [operator, ...machines.map(({ client }) => client)].map(
      (client) => client.userPoolClientId,
    );
    const entrance = new HttpEntrance(this, 'Http', {
      handler: props.api,
      issuer: signIn.pool.userPoolProviderUrl,
      audience: Lazy.list({ produce: () => audience }),
    });
    addAlarms(this, props.alarmTopic, {
      ApiErrors: {
        metric: entrance.api.metricServerError(summed),
        above: 0,
        minutes: 5,
        means: 'The HTTP API fails, or cannot reach the table in time.',
      },
    });
    const site = new ConsoleSite(this, 'Console', {
      name: installation.consoleName,
      apiHost: Fn.select(2, Fn.split('/', entrance.api.apiEndpoint)),
      connectsTo: [signIn.domain.baseUrl()],
      folder: String(this.node.tryGetContext('consoleFolder') ?? builtConsole),
    });
    const person = this.#personClient(signIn, site.origin);
    audience.push(person.userPoolClientId);
    const connectHost =
      installation.connectName?.domainName ?? new EndpointName(this, 'Endpoint', props.connectDomain).hostName;
    site.upload({
      signIn: {
        baseUrl: signIn.domain.baseUrl(),
        clientId: person.userPoolClientId,
        scopes: consoleScopes.map((name) => `${resourceServer}/${name}`),
      },
      mqtt: {
        // Through the front door every deployment has a name of its own; straight to IoT Core all share one.
        tls: { ...(installation.frontDoor === undefined ? { host: connectHost } : {}), port: mqttsPort },
        frontDoor: installation.frontDoor !== undefined,
      },
    });
    this.#sayNext({ api: entrance.api.apiEndpoint, site: site.origin, connectHost, signIn, table, operator, machines });
  }

  /** For who signs in with a password of their own, from a browser, which can keep no secret: code and PKCE. */
  #personClient(signIn: SignIn, origin: string): UserPoolClient {
    return new UserPoolClient(this, 'ConsoleClient', {
      userPool: signIn.pool,
      userPoolClientName: 'console',
      generateSecret: false,
      authFlows: {},
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, ...signIn.scopes(consoleScopes)],
        callbackUrls: [`${origin}/`],
        logoutUrls: [`${origin}/`],
      },
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
      // Nobody changes anything of himself through a token: an invitation says who somebody is.
      writeAttributes: new ClientAttributes(),
    });
  }

  /** For who has no person behind it: it signs in with a secret, which the operator reads once and hands over. */
  #machine(signIn: SignIn, name: string, scopes: readonly string[]): UserPoolClient {
    return new UserPoolClient(this, `Machine-${name}`, {
      userPool: signIn.pool,
      userPoolClientName: name,
      generateSecret: true,
      authFlows: {},
      oAuth: { flows: { clientCredentials: true }, scopes: signIn.scopes(scopes) },
      accessTokenValidity: Duration.hours(1),
    });
  }

  #sayNext({ api, site, connectHost, signIn, table, operator, machines }: Next): void {
    const pool = signIn.pool.userPoolId;
    const say = (name: string, description: string, value: string): void =>
      void new CfnOutput(this, name, { description, value });
    say('ApiUrl', 'Base of the HTTP API', api);
    say('ConsoleUrl', 'The console', site);
    say('TokenUrl', 'Where a machine gets its token', `${signIn.domain.baseUrl()}/oauth2/token`);
    say('UserPoolId', 'Who may sign in', pool);
    say('OperatorClientId', 'App client of whoever runs this installation', operator.userPoolClientId);
    const letIn = (client: UserPoolClient, tenantId: string): string =>
      `aws dynamodb put-item --table-name ${table.tableName} --item '{"pk":{"S":"I|${client.userPoolClientId}"},"sk":{"S":"machine"},"tenantId":{"S":"${tenantId}"}}'`;
    const token = (client: UserPoolClient, into: string): string =>
      `SECRET=$(aws cognito-idp describe-user-pool-client --user-pool-id ${pool} --client-id ${client.userPoolClientId} --query UserPoolClient.ClientSecret --output text); ${into}=$(curl -s -u "${client.userPoolClientId}:$SECRET" -d grant_type=client_credentials ${signIn.domain.baseUrl()}/oauth2/token | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')`;
    say('Next1Operator', 'Once: let the operator in', letIn(operator, 'operator'));
    say('Next2Token', 'A token of the operator', token(operator, 'TOKEN'));
    say(
      'Next3Tenant',
      'A tenant',
      `curl -X POST ${api}/v1/tenants -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"tenantId":"acme"}'`,
    );
    say(
      'Next4Person',
      'A person of that tenant, who may sign in to the console; a group tenant:acme:reader or tenant:acme:operator allows less',
      `aws cognito-idp create-group --user-pool-id ${pool} --group-name tenant:acme:admin && aws cognito-idp admin-create-user --user-pool-id ${pool} --username ann@example.com --user-attributes Name=email,Value=ann@example.com Name=email_verified,Value=true && aws cognito-idp admin-add-user-to-group --user-pool-id ${pool} --username ann@example.com --group-name tenant:acme:admin`,
    );
    for (const [n, { name, client }] of machines.entries())
      say(
        `Next4Machine${n + 1}`,
        `Once, and then for each token: the machine "${name}", for that tenant`,
        `${letIn(client, 'acme')} && ${token(client, 'TENANT_TOKEN')}`,
      );
    const send = (method: string, path: string, body: string): string =>
      `curl -X ${method} ${api}/v1${path} -H "Authorization: Bearer $TENANT_TOKEN" -H 'Content-Type: application/json' -d '${body}'`;
    say(
      'Next5Deployment',
      'A deployment: in the console, or like this with the token of a machine of that tenant (docs/deploy.md)',
      send('POST', '/deployments', '{"name":"demo"}'),
    );
    say(
      'Next6User',
      'An MQTT user of it, in the console or like this; the password that is answered is shown once',
      send('PUT', '/deployments/<deploymentId>/credentials/alice', '{}'),
    );
    say(
      'Next7Connect',
      'A client, straight to IoT Core',
      `npx mqtt sub --protocol mqtts -h ${connectHost} -p ${mqttsPort} -u 'alice?deployment=<deploymentId>' -P <password> -i <deploymentId>:first -t <deploymentId>/hello`,
    );
  }
}
