// Who may call the HTTP API: people and machines of one Cognito user pool. A group names a person's tenant and role; an item
// under a machine's app client names its tenant. Neither is anything that its owner could write. No attribute says whose
// somebody is, so no trigger has to copy one into a token, and the plan that Cognito gives by default is enough.

import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  AccountRecovery,
  FeaturePlan,
  ManagedLoginVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  type UserPoolDomain,
  type UserPoolResourceServer,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { allScopes, resourceServer } from '../shared/config/scopes.ts';

type Scope = (typeof allScopes)[number];

const meanings: Readonly<Record<Scope, string>> = {
  'tenants:admin': 'Create and list tenants',
  'settings:read': 'Read deployments and their settings',
  'settings:write': 'Change session limits and overrides',
  'deployments:write': 'Create, change and delete deployments',
  'credentials:write': 'Set and remove MQTT users',
  'usage:read': 'Read who holds which sessions',
  'sessions:kick': 'Disconnect clients',
  'audit:read': 'Read who changed what',
};

export class SignIn extends Construct {
  readonly pool: UserPool;
  readonly domain: UserPoolDomain;
  readonly #server: UserPoolResourceServer;
  readonly #scopes: ReadonlyMap<string, ResourceServerScope>;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.pool = new UserPool(this, 'Pool', {
      featurePlan: FeaturePlan.ESSENTIALS,
      // Nobody signs up: the operator invites a person and puts it into the group of its tenant.
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      // Cannot be changed later. An address that is typed with a capital letter is the same person.
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 14,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.pool).acknowledge({
      id: 'AwsSolutions-COG8',
      reason:
        'The Plus plan is paid by user and month and would only add risk scores: nobody signs up by himself, and a ' +
        'second factor is required of everybody.',
    });

    const scopes = allScopes.map(
      (name) => [name, new ResourceServerScope({ scopeName: name, scopeDescription: meanings[name] })] as const,
    );
    this.#scopes = new Map(scopes);
    this.#server = this.pool.addResourceServer('Api', {
      identifier: resourceServer,
      scopes: scopes.map(([, each]) => each),
    });
    // The account's id makes the prefix unique in the region.
    this.domain = this.pool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `headcount-${Stack.of(this).account}` },
      managedLoginVersion: ManagedLoginVersion.CLASSIC_HOSTED_UI,
    });
  }

  /** Throws where it is told of a scope that there is not. */
  scopes(names: readonly string[]): OAuthScope[] {
    return names.map((name) => {
      const scope = this.#scopes.get(name);
      if (scope === undefined) throw new Error(`there is no scope "${name}", only ${allScopes.join(', ')}`);
      return OAuthScope.resourceServer(this.#server, scope);
    });
  }
}
