// The console, and the HTTP API as the console reaches it. It is apart from all else, and nothing waits for it: an account
// that CloudFront does not serve yet has everything but the console.

import { Duration, Fn, Lazy } from 'aws-cdk-lib';
import { ClientAttributes, OAuthScope, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { resourceServer, tenantScopes } from '../shared/config/scopes.ts';
import { addAlarms, summed } from './alarms.ts';
import { mqttsPort } from './connect-endpoint.ts';
import { ConsoleSite } from './console-site.ts';
import { HttpEntrance } from './http-entrance.ts';
import type { OwnName } from './installation.ts';
import type { SignIn } from './sign-in.ts';

export interface HeadcountConsoleProps {
  /** Of `HeadcountCore`. */
  readonly api: IFunction;
  /** Of `HeadcountState`. */
  readonly signIn: SignIn;
  /** Of `HeadcountCore`. */
  readonly alarmTopic: ITopic;
  /** Own name of the console, with its certificate in us-east-1. Absent: CloudFront gives a name. */
  readonly name?: OwnName;
  /** How the console says that devices connect: under one name for all, or under a deployment's own (a front door). */
  readonly devices: { readonly hostName: string } | 'frontDoor';
  /** What the console's build made. Absent: what `npm run build:console` made here. */
  readonly folder?: string;
}

/** What the console may ask for the person at it: everything of a tenant. What it is given, the person's role says. */
const consoleScopes = tenantScopes;

/** Pages and files behind CloudFront, which leads the API's paths to the API: one origin for the browser. */
export class HeadcountConsole extends Construct {
  /** Where a browser finds it, without a slash at the end. */
  readonly url: string;
  readonly site: ConsoleSite;

  constructor(scope: Construct, id: string, props: HeadcountConsoleProps) {
    super(scope, id);
    const { signIn, devices } = props;
    // The site's address is known before the client is, and the client before an entrance takes its tokens. So this has
    // an entrance of its own, and the one of machines does not wait for CloudFront.
    const audience: string[] = [];
    const entrance = new HttpEntrance(this, 'Http', {
      handler: props.api,
      issuer: signIn.pool.userPoolProviderUrl,
      audience: Lazy.list({ produce: () => audience }),
    });
    addAlarms(this, props.alarmTopic, {
      ConsoleApiErrors: {
        metric: entrance.api.metricServerError(summed),
        above: 0,
        minutes: 5,
        means: 'The HTTP API fails behind the console, or cannot reach the table in time.',
      },
    });
    this.site = new ConsoleSite(this, 'Console', {
      ...(props.name === undefined ? {} : { name: props.name }),
      apiHost: Fn.select(2, Fn.split('/', entrance.api.apiEndpoint)),
      connectsTo: [signIn.domain.baseUrl()],
      ...(props.folder === undefined ? {} : { folder: props.folder }),
    });
    this.url = this.site.origin;
    const person = this.#personClient(signIn);
    audience.push(person.userPoolClientId);
    this.site.upload({
      signIn: {
        baseUrl: signIn.domain.baseUrl(),
        clientId: person.userPoolClientId,
        scopes: consoleScopes.map((name) => `${resourceServer}/${name}`),
      },
      mqtt: {
        // Through the front door every deployment has a name of its own; straight to IoT Core all share one.
        tls: { ...(devices === 'frontDoor' ? {} : { host: devices.hostName }), port: mqttsPort },
        frontDoor: devices === 'frontDoor',
      },
    });
  }

  /** For who signs in with a password of their own, from a browser, which can keep no secret: code and PKCE. */
  #personClient(signIn: SignIn): UserPoolClient {
    return new UserPoolClient(this, 'ConsoleClient', {
      userPool: signIn.pool,
      userPoolClientName: 'console',
      generateSecret: false,
      authFlows: {},
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, ...signIn.scopes(consoleScopes)],
        callbackUrls: [`${this.url}/`],
        logoutUrls: [`${this.url}/`],
      },
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
      // Nobody changes anything of himself through a token: an invitation says who somebody is.
      writeAttributes: new ClientAttributes(),
    });
  }
}
