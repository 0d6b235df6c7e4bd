// The HTTP API as machines reach it, and the app clients that may call it. It is apart from the path of a CONNECT:
// nothing that is deployed here can touch that.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { addAlarms, summed } from './alarms.ts';
import { HttpEntrance } from './http-entrance.ts';
import type { MachineClient } from './machine-clients.ts';
import type { SignIn } from './sign-in.ts';

export interface HeadcountWebProps {
  /** Of `HeadcountCore`. */
  readonly api: IFunction;
  /** Of `HeadcountState`. */
  readonly signIn: SignIn;
  /** Of `HeadcountCore`. */
  readonly alarmTopic: ITopic;
  /** OAuth clients of tenants, 49 at most, with different names and without `tenants:admin`. */
  readonly machineClients?: readonly MachineClient[];
}

export interface Machine {
  readonly name: string;
  readonly client: UserPoolClient;
}

/** The HTTP API behind API Gateway, for the operator's app client and those of tenants' machines. */
export class HeadcountWeb extends Construct {
  /** Base of the HTTP API, without a slash at the end. */
  readonly apiUrl: string;
  /** App client of the operator of the installation; an item of the table lets it in (docs/deploy.md). */
  readonly operator: UserPoolClient;
  readonly machines: readonly Machine[];

  constructor(scope: Construct, id: string, { api, signIn, alarmTopic, machineClients = [] }: HeadcountWebProps) {
    super(scope, id);
    this.operator = this.#machine(signIn, 'operator', ['tenants:admin']);
    this.machines = machineClients.map(({ name, scopes }) => ({ name, client: this.#machine(signIn, name, scopes) }));
    const entrance = new HttpEntrance(this, 'Http', {
      handler: api,
      issuer: signIn.pool.userPoolProviderUrl,
      audience: [this.operator, ...this.machines.map(({ client }) => client)].map((client) => client.userPoolClientId),
    });
    this.apiUrl = entrance.api.apiEndpoint;
    addAlarms(this, alarmTopic, {
      ApiErrors: {
        metric: entrance.api.metricServerError(summed),
        above: 0,
        minutes: 5,
        means: 'The HTTP API fails, or cannot reach the table in time.',
      },
    });
  }

  /** For who has no person behind it: it signs in with a secret, which the operator reads once and hands over. */
  #machine(signIn: SignIn, name: string, scopes: readonly string[]): UserPoolClient {
    const client = new UserPoolClient(this, `Machine-${name}`, {
      userPool: signIn.pool,
      userPoolClientName: name,
      generateSecret: true,
      authFlows: {},
      oAuth: { flows: { clientCredentials: true }, scopes: signIn.scopes(scopes) },
      accessTokenValidity: Duration.hours(1),
    });
    // Its id and secret have been handed over. One that is not in use any more is no audience of the API.
    client.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    return client;
  }
}
