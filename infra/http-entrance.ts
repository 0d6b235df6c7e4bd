// The HTTP API as the world reaches it: API Gateway in front of the API function, with a JWT authorizer.

import { Duration, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpNoneAuthorizer, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { allScopes, resourceServer } from '../shared/config/scopes.ts';

export interface HttpEntranceProps {
  readonly handler: IFunction;
  /** The user pool's URL. */
  readonly issuer: string;
  /** App clients whose tokens are taken. */
  readonly audience: readonly string[];
}

/** What needs no token; everything else does. */
export const openPaths = ['/healthz', '/openapi.json', '/docs'];

export class HttpEntrance extends Construct {
  readonly api: HttpApi;

  constructor(scope: Construct, id: string, props: HttpEntranceProps) {
    super(scope, id);
    const integration = new HttpLambdaIntegration('Function', props.handler, { timeout: Duration.seconds(25) });
    const authorizer = new HttpJwtAuthorizer('Jwt', props.issuer, { jwtAudience: [...props.audience] });
    this.api = new HttpApi(this, 'Api', {
      description: 'Headcount',
      createDefaultStage: false,
    });
    const access = new LogGroup(this, 'Access', { retention: RetentionDays.THREE_MONTHS });
    this.api.addStage('Stage', {
      stageName: '$default',
      autoDeploy: true,
      detailedMetricsEnabled: true,
      // The whole account shares one rate of API Gateway. One caller in a loop must not take all of it.
      throttle: { rateLimit: 500, burstLimit: 1_000 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(access),
        // The route and never the path: paths hold usernames and client ids.
        format: AccessLogFormat.custom(
          JSON.stringify({
            at: '$context.requestTime',
            requestId: '$context.requestId',
            method: '$context.httpMethod',
            route: '$context.routeKey',
            status: '$context.status',
            latencyMs: '$context.responseLatency',
            ip: '$context.identity.sourceIp',
            subject: '$context.authorizer.claims.sub',
            error: '$context.authorizer.error',
          }),
        ),
      },
    });
    this.api.addRoutes({
      path: '/v1/{proxy+}',
      methods: [HttpMethod.ANY],
      integration,
      authorizer,
      // One of ours must be in the token: an ID token has none, and would pass for an access token otherwise. Which of
      // them a route needs is the function's to say, because who owns a deployment comes before it (404, then 403).
      authorizationScopes: allScopes.map((name) => `${resourceServer}/${name}`),
    });
    for (const path of openPaths) {
      const routes = this.api.addRoutes({
        path,
        methods: [HttpMethod.GET],
        integration,
        authorizer: new HttpNoneAuthorizer(),
      });
      for (const route of routes)
        Validations.of(route).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason: 'The state of health and the description of the API are the same for everybody and tell of nobody.',
        });
    }
  }
}
