// What people and machines reach over HTTP: the API's gateway, the sign-in, the console.

import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { allScopes } from '../../shared/config/scopes.ts';
import { propertiesOf, render } from './grants.ts';
import { synthTemplates } from './synth.ts';

const { web, stateful, stateless } = synthTemplates({ machineClients: 'acme-ci:settings:read+settings:write' });

interface Route {
  readonly RouteKey: string;
  readonly AuthorizationType: string;
  readonly AuthorizationScopes?: readonly string[];
}

const routes: readonly Route[] = Object.values(web.findResources('AWS::ApiGatewayV2::Route')).map(
  ({ Properties }) => Properties,
);

describe('the gateway', () => {
  test('takes a token with a scope of ours for everything but health and description', () => {
    const open = routes.filter((route) => route.AuthorizationType === 'NONE').map((route) => route.RouteKey);
    expect(open.sort()).toEqual(['GET /docs', 'GET /healthz', 'GET /openapi.json']);
    const closed = routes.filter((route) => route.AuthorizationType !== 'NONE');
    expect(closed).toHaveLength(1);
    expect(closed[0]).toMatchObject({ RouteKey: 'ANY /v1/{proxy+}', AuthorizationType: 'JWT' });
    // An ID token has no scope, and the gateway would take it for an access token where none is asked for.
    expect(closed[0]?.AuthorizationScopes).toEqual(allScopes.map((scope) => `headcount/${scope}`));
  });

  test('believes this user pool only, and only what it says to the clients of this installation', () => {
    const { JwtConfiguration: jwt } = propertiesOf(web, 'AWS::ApiGatewayV2::Authorizer', 'HttpApiJwt') as {
      readonly JwtConfiguration: { readonly Issuer: unknown; readonly Audience: readonly unknown[] };
    };
    expect(render(jwt.Issuer)).toContain('SignInPool.ProviderURL');
    expect(jwt.Audience.map(render).sort()).toEqual(['ConsoleClient', 'Machineacmeci', 'Machineoperator']);
    web.resourceCountIs('AWS::Cognito::UserPoolClient', 3);
  });

  test('logs routes and never paths, which hold usernames, and limits its rate', () => {
    const stage = propertiesOf(web, 'AWS::ApiGatewayV2::Stage', 'HttpApiStage') as {
      readonly AccessLogSettings: { readonly Format: string };
    };
    expect(stage.AccessLogSettings.Format).toContain('$context.routeKey');
    expect(stage.AccessLogSettings.Format).not.toMatch(/\$context\.(path|domainName)|query|authorization"/i);
    expect(stage).toMatchObject({ DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1_000 } });
  });

  test('is the only one that may invoke the API function, and from these routes only', () => {
    const permissions = [web, stateless]
      .flatMap((template) => Object.values(template.findResources('AWS::Lambda::Permission')))
      .map(({ Properties }) => Properties)
      .filter((permission) => render(permission.FunctionName).startsWith('Api'));
    expect(permissions).toHaveLength(routes.length);
    for (const permission of permissions) {
      expect(permission.Principal).toBe('apigateway.amazonaws.com');
      expect(render(permission.SourceArn)).toContain('HttpApi');
    }
  });
});

describe('the sign-in', () => {
  const pool = propertiesOf(stateful, 'AWS::Cognito::UserPool', 'SignInPool');

  test('lets nobody in but who was invited, with a second factor, and is not lost with its stack', () => {
    expect(pool).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
      DeletionProtection: 'ACTIVE',
      Policies: { PasswordPolicy: { MinimumLength: 14 } },
    });
    const [resource] = Object.values(stateful.findResources('AWS::Cognito::UserPool'));
    expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('has no attribute of its own that could say whose somebody is, and no trigger to copy one', () => {
    expect(pool).not.toHaveProperty('Schema');
    expect(pool).not.toHaveProperty('LambdaConfig');
  });

  test('offers the scopes of the API', () => {
    const { Identifier, Scopes } = propertiesOf(stateful, 'AWS::Cognito::UserPoolResourceServer', 'SignInPoolApi') as {
      readonly Identifier: string;
      readonly Scopes: readonly { readonly ScopeName: string }[];
    };
    expect(Identifier).toBe('headcount');
    expect(Scopes.map((scope) => scope.ScopeName)).toEqual([...allScopes]);
  });

  const scopesOf = (id: string): readonly string[] =>
    (propertiesOf(web, 'AWS::Cognito::UserPoolClient', id).AllowedOAuthScopes as readonly unknown[]).map((scope) =>
      render(scope).replace('SignInPoolApi/', ''),
    );

  test('gives a browser no secret, only the code flow, and nothing that is for the operator', () => {
    expect(propertiesOf(web, 'AWS::Cognito::UserPoolClient', 'ConsoleClient')).toMatchObject({
      GenerateSecret: false,
      AllowedOAuthFlows: ['code'],
      PreventUserExistenceErrors: 'ENABLED',
      EnableTokenRevocation: true,
    });
    const scopes = scopesOf('ConsoleClient').filter((scope) => scope !== 'openid');
    expect(scopes.sort()).toEqual(allScopes.filter((scope) => scope !== 'tenants:admin').sort());
  });

  test('gives machines a secret, their own flow, and the scopes that were chosen', () => {
    for (const id of ['Machineoperator', 'Machineacmeci'])
      expect(propertiesOf(web, 'AWS::Cognito::UserPoolClient', id)).toMatchObject({
        GenerateSecret: true,
        AllowedOAuthFlows: ['client_credentials'],
      });
    expect(scopesOf('Machineoperator')).toEqual(['tenants:admin']);
    expect(scopesOf('Machineacmeci')).toEqual(['settings:read', 'settings:write']);
  });
});

describe('the console', () => {
  test('lies in a bucket that nobody but its distribution may read, over TLS', () => {
    expect(propertiesOf(web, 'AWS::S3::Bucket', 'ConsoleFiles')).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    const policy = propertiesOf(web, 'AWS::S3::BucketPolicy', 'ConsoleFilesPolicy').PolicyDocument as {
      readonly Statement: readonly Readonly<Record<string, unknown>>[];
    };
    const allowed = policy.Statement.filter((statement) => statement.Effect === 'Allow');
    expect(allowed).toMatchObject([
      {
        Action: 's3:GetObject',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Condition: { StringEquals: { 'AWS:SourceArn': expect.anything() } },
      },
    ]);
    expect(policy.Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });

  const { DistributionConfig: distribution } = propertiesOf(
    web,
    'AWS::CloudFront::Distribution',
    'ConsoleDistribution',
  ) as {
    readonly DistributionConfig: {
      readonly DefaultCacheBehavior: object;
      readonly CacheBehaviors: readonly object[];
      readonly CustomErrorResponses?: unknown;
    };
  };

  test("leads to the API under the same origin, uncached, and replaces none of the API's answers", () => {
    expect(distribution.CacheBehaviors).toMatchObject([
      // CloudFront's own policies: CachingDisabled, AllViewerExceptHostHeader.
      {
        PathPattern: '/v1/*',
        CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
        OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
        ViewerProtocolPolicy: 'https-only',
      },
    ]);
    expect(distribution).not.toHaveProperty('CustomErrorResponses');
  });

  test('may run only its own scripts and styles, and talk only to itself and the sign-in', () => {
    const { ResponseHeadersPolicyConfig: headers } = propertiesOf(
      web,
      'AWS::CloudFront::ResponseHeadersPolicy',
      'ConsoleHeaders',
    ) as { readonly ResponseHeadersPolicyConfig: { readonly SecurityHeadersConfig: Readonly<Record<string, object>> } };
    const security = headers.SecurityHeadersConfig as {
      readonly ContentSecurityPolicy: { readonly ContentSecurityPolicy: unknown };
      readonly StrictTransportSecurity: object;
    };
    const policy = render(security.ContentSecurityPolicy.ContentSecurityPolicy);
    const directives = policy.split('; ');
    expect(directives).toContain("default-src 'none'");
    expect(directives).toContain("script-src 'self'");
    expect(directives).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(directives.find((each) => each.startsWith('connect-src'))).toMatch(
      /^connect-src 'self' https:\/\/\S+\.amazoncognito\.com$/,
    );
    expect(security.StrictTransportSecurity).toMatchObject({ AccessControlMaxAgeSec: 31_536_000 });
  });

  test('answers every page with index.html, and every file with itself', () => {
    const { FunctionCode } = propertiesOf(web, 'AWS::CloudFront::Function', 'ConsolePages') as { FunctionCode: string };
    const led = (uri: string): unknown =>
      runInNewContext(`${FunctionCode}; handler(event).uri`, { event: { request: { uri } } });
    expect(['/', '/deployments/demo', '/assets/app-1a2b.js', '/a.b/page'].map(led)).toEqual([
      '/index.html',
      '/index.html',
      '/assets/app-1a2b.js',
      '/index.html',
    ]);
  });
});

test('the outputs say what to do next, as commands', () => {
  const outputs = Object.keys(web.findOutputs('*'));
  for (const name of ['ApiUrl', 'ConsoleUrl', 'Next1Operator', 'Next2Token', 'Next3Tenant', 'Next4Person'])
    expect(outputs).toContain(name);
});
