// What people and machines reach over HTTP: the API's gateway, the sign-in, the console.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConsoleConfig } from '../../console/session/config.ts';
import { problem } from '../../functions/api/answer.ts';
import { addStacks } from '../../infra/stacks.ts';
import { allScopes } from '../../shared/config/scopes.ts';
import { propertiesOf, render } from './grants.ts';
import { buildApp, synthTemplates, withFrontDoor } from './synth.ts';

const {
  web,
  state,
  core,
  console: site,
} = synthTemplates({
  machineClients: 'acme-ci:settings:read+settings:write',
});
if (site === undefined) throw new Error('there is no console');
const entrances = { HeadcountWeb: web, HeadcountConsole: site };

interface Route {
  readonly RouteKey: string;
  readonly AuthorizationType: string;
  readonly AuthorizationScopes?: readonly string[];
}

const routesOf = (template: Template): readonly Route[] =>
  Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);

const problemType = 'application/problem+json';

describe.each(Object.entries(entrances))('the gateway of %s', (_stack, template) => {
  const routes = routesOf(template);

  test('takes a token with a scope of ours for everything but health and description', () => {
    const open = routes.filter((route) => route.AuthorizationType === 'NONE').map((route) => route.RouteKey);
    expect(open.sort()).toEqual(['GET /docs', 'GET /healthz', 'GET /openapi.json']);
    const closed = routes.filter((route) => route.AuthorizationType !== 'NONE');
    expect(closed).toHaveLength(1);
    expect(closed[0]).toMatchObject({ RouteKey: 'ANY /v1/{proxy+}', AuthorizationType: 'JWT' });
    // An ID token has no scope, and the gateway would take it for an access token where none is asked for.
    expect(closed[0]?.AuthorizationScopes).toEqual(allScopes.map((scope) => `headcount/${scope}`));
  });

  test('logs routes and never paths, which hold usernames, and limits its rate', () => {
    const stage = propertiesOf(template, 'AWS::ApiGatewayV2::Stage', 'HttpApiStage') as {
      readonly AccessLogSettings: { readonly Format: string };
    };
    expect(stage.AccessLogSettings.Format).toContain('$context.routeKey');
    expect(stage.AccessLogSettings.Format).not.toMatch(/\$context\.(path|domainName)|query|authorization"/i);
    expect(stage).toMatchObject({ DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1_000 } });
  });
});

describe('the gateways', () => {
  test.each([
    ['HeadcountWeb', web, ['Machineacmeci', 'Machineoperator']],
    ['HeadcountConsole', site, ['ConsoleClient']],
  ] as const)(
    'of %s believes this user pool only, and only what it says to its own clients',
    (_stack, template, clients) => {
      const { JwtConfiguration: jwt } = propertiesOf(template, 'AWS::ApiGatewayV2::Authorizer', 'HttpApiJwt') as {
        readonly JwtConfiguration: { readonly Issuer: unknown; readonly Audience: readonly unknown[] };
      };
      expect(render(jwt.Issuer)).toContain('SignInPool.ProviderURL');
      expect(jwt.Audience.map(render).sort()).toEqual(clients);
      template.resourceCountIs('AWS::Cognito::UserPoolClient', clients.length);
    },
  );

  test('are the only ones that may invoke the API function, and from their routes only', () => {
    const permissions = [web, site, core]
      .flatMap((template) => Object.values(template.findResources('AWS::Lambda::Permission')))
      .map(({ Properties }) => Properties)
      .filter((permission) => render(permission.FunctionName).startsWith('Api'));
    expect(permissions).toHaveLength(routesOf(web).length + routesOf(site).length);
    for (const permission of permissions) {
      expect(permission.Principal).toBe('apigateway.amazonaws.com');
      expect(render(permission.SourceArn)).toContain('HttpApi');
    }
  });
});

test('an account that CloudFront does not serve has API and sign-in all the same', () => {
  const { web: first, core, console: last } = addStacks(buildApp(withFrontDoor));
  // It comes after all the others, and none of them knows of it.
  expect(last?.dependencies.map(({ stackName }) => stackName)).toEqual(
    expect.arrayContaining(['HeadcountFrontDoor', 'HeadcountWeb']),
  );
  for (const stack of [first, core]) {
    expect(stack.dependencies).not.toContain(last);
    const template = Template.fromStack(stack);
    expect(JSON.stringify(template.toJSON())).not.toContain('HeadcountConsole');
    template.resourceCountIs('AWS::CloudFront::Distribution', 0);
  }
  expect(addStacks(buildApp({ console: 'false' })).console).toBeUndefined();
});

test('nothing of CloudFront has a name that the installation of another region has as well', () => {
  const names = ['OriginAccessControl', 'ResponseHeadersPolicy', 'Function'].flatMap((type) =>
    Object.values(site.findResources(`AWS::CloudFront::${type}`)).map(({ Properties }) =>
      render((Properties[`${type}Config`] as { readonly Name?: unknown }).Name ?? Properties.Name),
    ),
  );
  expect(names).toEqual(['files', 'headers', 'pages'].map((what) => `headcount-console-${what}-AWS::Region`));
});

describe('the sign-in', () => {
  const pool = propertiesOf(state, 'AWS::Cognito::UserPool', 'SignInPool');

  test('lets nobody in but who was invited, with a second factor, and is not lost with its stack', () => {
    expect(pool).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
      DeletionProtection: 'ACTIVE',
      Policies: { PasswordPolicy: { MinimumLength: 14 } },
    });
    const [resource] = Object.values(state.findResources('AWS::Cognito::UserPool'));
    expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('has no attribute of its own that could say whose somebody is, and no trigger to copy one', () => {
    expect(pool).not.toHaveProperty('Schema');
    expect(pool).not.toHaveProperty('LambdaConfig');
  });

  test('offers the scopes of the API', () => {
    const { Identifier, Scopes } = propertiesOf(state, 'AWS::Cognito::UserPoolResourceServer', 'SignInPoolApi') as {
      readonly Identifier: string;
      readonly Scopes: readonly { readonly ScopeName: string }[];
    };
    expect(Identifier).toBe('headcount');
    expect(Scopes.map((scope) => scope.ScopeName)).toEqual([...allScopes]);
  });

  test('takes an address for the same, however it is written', () => {
    expect(pool).toMatchObject({ UsernameAttributes: ['email'], UsernameConfiguration: { CaseSensitive: false } });
  });

  const scopesOf = (id: string, template = web): readonly string[] =>
    (propertiesOf(template, 'AWS::Cognito::UserPoolClient', id).AllowedOAuthScopes as readonly unknown[]).map((scope) =>
      render(scope).replace('SignInPoolApi/', ''),
    );

  test('gives a browser no secret, only the code flow, and nothing that is for the operator', () => {
    expect(propertiesOf(site, 'AWS::Cognito::UserPoolClient', 'ConsoleClient')).toMatchObject({
      GenerateSecret: false,
      AllowedOAuthFlows: ['code'],
      PreventUserExistenceErrors: 'ENABLED',
      EnableTokenRevocation: true,
    });
    const scopes = scopesOf('ConsoleClient', site).filter((scope) => scope !== 'openid');
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
    expect(propertiesOf(site, 'AWS::S3::Bucket', 'ConsoleFiles')).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    const policy = propertiesOf(site, 'AWS::S3::BucketPolicy', 'ConsoleFilesPolicy').PolicyDocument as {
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
    site,
    'AWS::CloudFront::Distribution',
    'ConsoleDistribution',
  ) as {
    readonly DistributionConfig: {
      readonly DefaultCacheBehavior: { readonly TargetOriginId: string };
      readonly CacheBehaviors: readonly { readonly PathPattern: string; readonly TargetOriginId: string }[];
      readonly CustomErrorResponses?: unknown;
    };
  };

  test("leads to the API under the same origin, uncached, and replaces none of the API's answers", () => {
    const uncached = {
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
    };
    expect(distribution.CacheBehaviors).toMatchObject([
      // CloudFront's own policies: CachingDisabled, AllViewerExceptHostHeader.
      { PathPattern: '/v1/*', ...uncached, ViewerProtocolPolicy: 'https-only' },
      { PathPattern: '/healthz', ...uncached, ViewerProtocolPolicy: 'redirect-to-https' },
      { PathPattern: '/openapi.json', ...uncached, ViewerProtocolPolicy: 'redirect-to-https' },
      { PathPattern: '/docs', ...uncached, ViewerProtocolPolicy: 'redirect-to-https' },
    ]);
    // What the gateway knows is what is led there.
    const led = distribution.CacheBehaviors.map(({ PathPattern }) => PathPattern.replace('*', '{proxy+}'));
    expect(led.sort()).toEqual(
      routesOf(site)
        .map(({ RouteKey }) => RouteKey.split(' ')[1])
        .sort(),
    );
    const api = new Set(distribution.CacheBehaviors.map(({ TargetOriginId }) => TargetOriginId));
    expect(api.size).toBe(1);
    expect(api).not.toContain(distribution.DefaultCacheBehavior.TargetOriginId);
    expect(distribution).not.toHaveProperty('CustomErrorResponses');
  });

  test('may run only its own scripts and styles, and talk only to itself and the sign-in', () => {
    const { ResponseHeadersPolicyConfig: headers } = propertiesOf(
      site,
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

  describe('the function before the files', () => {
    const { FunctionCode } = propertiesOf(site, 'AWS::CloudFront::Function', 'ConsolePages') as {
      FunctionCode: string;
    };
    const ask = (uri: string, headers: object = { accept: { value: 'text/html' } }) =>
      runInNewContext(`${FunctionCode}; handler(event)`, { event: { request: { uri, headers } } }) as {
        readonly uri?: string;
        readonly statusCode?: number;
        readonly headers?: object;
        readonly body?: { readonly data: string };
      };

    test('answers every place of the console with index.html, and every file with itself', () => {
      const led = (uri: string): unknown => ask(uri).uri;
      const deep = '/deployments/demo/monitor/clients/~YQ';
      for (const place of ['/', '/deployments', '/deployments/demo', deep, '/operations', '/audit', '/audit/'])
        expect(led(place), place).toBe('/index.html');
      for (const file of ['/assets/app-1a2b.js', '/config.json', '/index.html', '/icon.svg'])
        expect(led(file), file).toBe(file);
      expect(ask('/deployments', { 'sec-fetch-mode': { value: 'navigate' } }).uri).toBe('/index.html');
    });

    test('answers what is nothing as the API does', () => {
      const others = [
        '/v1',
        '/v2/deployments',
        '//v1/deployments',
        '/V1/x',
        '/metrics',
        '/health',
        '/mqtt',
        '/a.b/page',
      ];
      for (const uri of [...others, '/deployments/secret.txt', '/deployments//demo', '/audit/x', '/operations/x']) {
        const answer = ask(uri);
        expect(answer, uri).toMatchObject({ statusCode: 404, headers: { 'content-type': { value: problemType } } });
        expect(JSON.parse(answer.body?.data ?? '')).toEqual(
          problem(404, 'route.not_found', 'There is nothing at this path.').body,
        );
      }
      expect(ask('/deployments', { accept: { value: '*/*' } }).statusCode).toBe(404);
    });
  });
});

test('the outputs say what to do next, as commands with the names of this installation in them', () => {
  const outputs = web.findOutputs('*');
  const command = (name: string): string => render(outputs[name]?.Value);
  expect(render(site.findOutputs('ConsoleUrl').ConsoleUrl?.Value)).toBe('https://ConsoleDistribution.DomainName');
  for (const name of ['ApiUrl', 'TokenUrl', 'UserPoolId']) expect(command(name)).toBeTruthy();
  expect(command('Next1Operator')).toMatch(/^aws dynamodb put-item --table-name Table .*I\|Machineoperator/);
  expect(command('Next2Token')).toContain('/oauth2/token');
  expect(command('Next4Machine1')).toMatch(
    /^aws dynamodb put-item .*I\|Machineacmeci.* && SECRET=.*TENANT_TOKEN=\$\(curl /,
  );
  expect(command('Next3Tenant')).toMatch(/^curl -X POST HttpApi\S+\/v1\/tenants /);
  expect(command('Next3Group')).toMatch(/^aws cognito-idp create-group .*--group-name tenant:acme:admin$/);
  expect(command('Next3Group')).toMatch(/^aws cognito-idp create-group .*--group-name tenant:acme:admin$/);
  expect(command('Next4Person')).toMatch(/admin-create-user .*admin-add-user-to-group .*tenant:acme:admin$/);
  expect(command('Next5Deployment')).toMatch(/^curl -X POST HttpApi\S+\/v1\/deployments /);
  expect(command('Next6User')).toMatch(/^curl -X PUT HttpApi\S+\/v1\/deployments\/<deploymentId>\/credentials\/alice /);
  expect(command('Next7Connect')).toMatch(
    /^npx mqtt sub .*-h EndpointAsk\.domainName -p 8883 .*-i <deploymentId>:first/,
  );
});

describe('what the console is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-console-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  afterAll(() => rmSync(folder, { recursive: true }));

  interface Upload {
    readonly SystemMetadata: Readonly<Record<string, string>>;
    readonly Prune: boolean;
    readonly Include?: readonly string[];
    readonly Exclude?: readonly string[];
    readonly SourceObjectKeys: readonly string[];
    readonly SourceMarkers?: readonly Readonly<Record<string, unknown>>[];
  }

  /** The `config.json` that this choice uploads, with what is known at deployment only in short. */
  function synthesize(chosen: object): { readonly uploads: readonly Upload[]; readonly config: unknown } {
    const app = buildApp({ ...chosen, consoleFolder: folder });
    const stack = addStacks(app).console;
    if (stack === undefined) throw new Error('there is no console');
    const uploads: readonly Upload[] = Object.values(
      Template.fromStack(stack).findResources('Custom::CDKBucketDeployment'),
    ).map(({ Properties }) => Properties);
    const pages = uploads.find((upload) => upload.Prune);
    const place = pages?.SourceObjectKeys[1]?.replace('.zip', '');
    let text = readFileSync(join(app.synth().directory, `asset.${place}`, 'config.json'), 'utf8');
    for (const [marker, value] of Object.entries(pages?.SourceMarkers?.[1] ?? {}))
      text = text.replaceAll(marker, render(value));
    return { uploads, config: JSON.parse(text) };
  }

  test('without a front door: the name that AWS gave the endpoint, and that devices put the deployment before', () => {
    const { config } = synthesize({});
    expect(config).toMatchObject({
      signIn: { baseUrl: expect.stringContaining('amazoncognito.com'), clientId: 'ConsoleClient' },
      mqtt: { frontDoor: false, tls: { host: 'EndpointAsk.domainName', port: 8883 } },
    });
    expect(parseConsoleConfig(config).mqtt).toMatchObject({
      frontDoor: false,
      tls: { host: 'EndpointAsk.domainName' },
    });
  });

  test('with an own name of the endpoint: that name, and its DNS record is said', () => {
    const certificate = 'arn:aws:acm:eu-central-1:111111111111:certificate/one';
    const own = { connectDomain: 'iot.example.com', connectCertificateArn: certificate };
    expect(synthesize(own).config).toMatchObject({
      mqtt: { frontDoor: false, tls: { host: 'iot.example.com', port: 8883 } },
    });
    const record = synthTemplates(own).web.findOutputs('Next0Dns').Next0Dns?.Value;
    expect(render(record)).toBe('iot.example.com CNAME EndpointAsk.endpointAddress');
  });

  test("with a front door: no name, because each deployment's own is the one, and the API is told of its domain", () => {
    const { config } = synthesize(withFrontDoor);
    expect(config).toMatchObject({ mqtt: { frontDoor: true, tls: { port: 8883 } } });
    expect(parseConsoleConfig(config).mqtt.tls.host).toBeUndefined();
    const api = propertiesOf(synthTemplates(withFrontDoor).core, 'AWS::Lambda::Function', 'Api');
    expect(api.Environment).toMatchObject({ Variables: { MQTT_DOMAIN: 'mqtt.example.com' } });
  });

  test('files with a hash in their name are kept for ever, before the page that names them; the rest is asked for each time', () => {
    const { uploads } = synthesize({});
    const [assets, pages, ...more] = uploads;
    expect(more).toEqual([]);
    expect(assets).toMatchObject({
      SystemMetadata: { 'cache-control': 'public, max-age=31536000, immutable' },
      Exclude: ['*'],
      Include: ['assets/*'],
      // Of the build before this one too: a page that is open goes on loading what belongs to it.
      Prune: false,
    });
    expect(pages).toMatchObject({
      SystemMetadata: { 'cache-control': 'no-cache' },
      Exclude: ['assets/*'],
      Prune: true,
      DistributionPaths: ['/index.html', '/config.json', '/'],
    });
    expect(pages?.SourceObjectKeys).toHaveLength(2);
  });
});
