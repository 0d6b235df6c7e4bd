// The console as files: a private bucket behind CloudFront, which also leads to the API what is the API's, so that the
// browser talks to one origin and nobody needs CORS.

import { existsSync } from 'node:fs';
import { Annotations, Aws, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  ResponseHeadersPolicy,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import {
  buildConsoleHeaders,
  consoleAssetsPath,
  consoleCacheControl,
  consoleConfigPath,
  consoleFilePattern,
  consolePlacePattern,
} from '../shared/config/console.ts';
import { consoleFolder } from './code.ts';
import { shown } from './findings.ts';
import { openPaths } from './http-entrance.ts';
import type { OwnName } from './installation.ts';

export interface ConsoleSiteProps {
  /** Absent: CloudFront gives a name. */
  readonly name?: OwnName;
  /** Host name of the API. */
  readonly apiHost: string;
  /** Origins that the browser talks to besides its own: the sign-in. */
  readonly connectsTo: readonly string[];
  /** What the console's build made, and by default where it makes it. Nothing is uploaded where there is none. */
  readonly folder?: string;
}

export class ConsoleSite extends Construct {
  /** Where a browser finds it, without a slash at the end. */
  readonly origin: string;
  readonly ownName: string | undefined;
  /** CloudFront's own, where the DNS record of an own name leads. */
  readonly domainName: string;
  readonly #bucket: IBucket;
  readonly #distribution: Distribution;
  readonly #folder: string;

  constructor(scope: Construct, id: string, props: ConsoleSiteProps) {
    super(scope, id);
    this.#folder = props.folder ?? consoleFolder;
    // What CloudFront keeps for an account has one name in all regions, and an installation may be in each.
    const named = (what: string): string => `headcount-console-${what}-${Aws.REGION}`;
    this.#bucket = new Bucket(this, 'Files', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      // Built anew from this repository whenever it is deployed; old files go after a month.
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(30) }],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    }) as IBucket;
    Validations.of(this.#bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds the public files of the console and nothing else, and only CloudFront may read it.',
    });

    const api = {
      origin: new HttpOrigin(props.apiHost),
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    };
    const access = new S3OriginAccessControl(this, 'Access', { originAccessControlName: named('files') });
    this.#distribution = new Distribution(this, 'Distribution', {
      comment: 'Headcount console',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      ...(props.name === undefined
        ? {}
        : {
            domainNames: [props.name.domainName],
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate: Certificate.fromCertificateArn(this, 'Certificate', props.name.certificateArn),
          }),
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(this.#bucket, { originAccessControl: access }),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        // Not by an error page: that would hold for the API's answers as well.
        functionAssociations: [{ eventType: FunctionEventType.VIEWER_REQUEST, function: this.#pages(named('pages')) }],
        responseHeadersPolicy: this.#headers(props.connectsTo, named('headers')),
      },
      additionalBehaviors: {
        '/v1/*': {
          ...api,
          // A token is only ever sent over TLS, also to somebody who would redirect.
          viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
          allowedMethods: AllowedMethods.ALLOW_ALL,
        },
        ...Object.fromEntries(
          openPaths.map((path) => [path, { ...api, viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS }]),
        ),
      },
    });
    this.ownName = props.name?.domainName;
    this.domainName = this.#distribution.distributionDomainName;
    this.origin = `https://${this.ownName ?? this.domainName}`;
    this.#acknowledge(props.name === undefined);
  }

  /** Uploads what was built, and beside it `config.json`, which tells the console where to sign in. */
  upload(config: object): void {
    if (!existsSync(this.#folder)) {
      Annotations.of(this).addInfo('The console was not built, so nothing of it is uploaded: npm run build:console');
      return;
    }
    const built = Source.asset(this.#folder);
    const assets = `${consoleAssetsPath.slice(1)}*`;
    const logGroup = new LogGroup(this, 'UploadLog', { retention: RetentionDays.THREE_MONTHS });
    const to = { destinationBucket: this.#bucket, logGroup };
    const first = new BucketDeployment(this, 'UploadAssets', {
      ...to,
      sources: [built],
      exclude: ['*'],
      include: [assets],
      cacheControl: [CacheControl.fromString(consoleCacheControl.assets)],
      // A page that is open meanwhile goes on loading what belongs to it.
      prune: false,
    });
    const pages = new BucketDeployment(this, 'Upload', {
      ...to,
      sources: [built, Source.jsonData(consoleConfigPath.slice(1), config)],
      exclude: [assets],
      // There is no secret in this config.json, so nothing of it has to be kept out of caches but what is old.
      cacheControl: [CacheControl.fromString(consoleCacheControl.page)],
      prune: true,
      distribution: this.#distribution,
      distributionPaths: ['/index.html', consoleConfigPath, '/'],
      // It takes minutes now and then, and a deployment that waited for it too long would be rolled back.
      waitForDistributionInvalidation: false,
    });
    // A page must not name assets that are not there yet.
    pages.node.addDependency(first);
    const reason = 'It runs while a deployment runs, reads the files that CDK uploaded and writes this one bucket.';
    // CDK's own: one copier a stack, beside the construct that asked for it.
    const provider = pages.handlerRole.node.scope;
    if (provider !== undefined)
      for (const id of this.#copierFindings()) Validations.of(provider).acknowledge({ id, reason });
  }

  /** The same places as locally, and the same answer for what is nothing: S3's would be a 403 in XML. */
  #pages(functionName: string): CloudFrontFunction {
    return new CloudFrontFunction(this, 'Pages', {
      functionName,
      runtime: FunctionRuntime.JS_2_0,
      comment: 'Leads every page of the console to index.html',
      code: FunctionCode.fromInline(
        [
          'function handler(event) {',
          '  var request = event.request;',
          '  function header(name) {',
          '    var found = request.headers[name];',
          "    return found === undefined ? '' : found.value;",
          '  }',
          "  var navigates = header('sec-fetch-mode') === 'navigate' || header('accept').indexOf('text/html') >= 0;",
          `  if (${consolePlacePattern}.test(request.uri) && navigates) {`,
          "    request.uri = '/index.html';",
          '    return request;',
          '  }',
          `  if (${consoleFilePattern}.test(request.uri)) return request;`,
          '  return {',
          '    statusCode: 404,',
          "    statusDescription: 'Not Found',",
          "    headers: { 'content-type': { value: 'application/problem+json' }, 'cache-control': { value: 'no-store' } },",
          `    body: { encoding: 'text', data: ${JSON.stringify(JSON.stringify(notFound))} },`,
          '  };',
          '}',
        ].join('\n'),
      ),
    });
  }

  /** The same as the local run serves it with, and what only makes sense over TLS. */
  #headers(connectsTo: readonly string[], responseHeadersPolicyName: string): ResponseHeadersPolicy {
    const headers = buildConsoleHeaders(connectsTo);
    const {
      'content-security-policy': contentSecurityPolicy = '',
      'x-content-type-options': _nosniff,
      'x-frame-options': _frames,
      'referrer-policy': _referrer,
      ...custom
    } = headers;
    return new ResponseHeadersPolicy(this, 'Headers', {
      responseHeadersPolicyName,
      securityHeadersBehavior: {
        contentSecurityPolicy: { override: true, contentSecurityPolicy },
        contentTypeOptions: { override: true },
        frameOptions: { override: true, frameOption: HeadersFrameOption.DENY },
        referrerPolicy: { override: true, referrerPolicy: HeadersReferrerPolicy.NO_REFERRER },
        strictTransportSecurity: { override: true, accessControlMaxAge: Duration.days(365), includeSubdomains: true },
      },
      customHeadersBehavior: {
        customHeaders: Object.entries(custom).map(([header, value]) => ({ header, value, override: true })),
      },
    });
  }

  #acknowledge(withoutName: boolean): void {
    const open = [
      ['AwsSolutions-CFR1', 'Who may sign in is decided by the sign-in, wherever they are.'],
      ['AwsSolutions-CFR2', 'It serves public files; the API behind it takes tokens only and limits its rate.'],
      ['AwsSolutions-CFR3', 'Requests for public files tell nothing; the API keeps a log of its own.'],
    ] as const;
    for (const [rule, reason] of open) Validations.of(this.#distribution).acknowledge({ id: rule, reason });
    if (withoutName)
      Validations.of(this.#distribution).acknowledge({
        id: 'AwsSolutions-CFR4',
        reason: "Under CloudFront's own name the protocol versions cannot be chosen; with an own name they are.",
      });
  }

  /** Each of them, and no more: what a later version of CDK lets its copier do besides has to be looked at first. */
  #copierFindings(): readonly string[] {
    const stack = Stack.of(this);
    const qualifier = stack.synthesizer.bootstrapQualifier ?? DefaultStackSynthesizer.DEFAULT_QUALIFIER;
    const assets = `cdk-${qualifier}-assets-${shown(stack.account, 'AccountId')}-${shown(stack.region, 'Region')}`;
    const { 'Fn::GetAtt': bucket } = stack.resolve(this.#bucket.bucketArn) as { 'Fn::GetAtt': readonly string[] };
    return [
      // CDK chooses the copier's runtime.
      'L1',
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      'IAM5[Action::s3:GetBucket*]',
      'IAM5[Action::s3:GetObject*]',
      'IAM5[Action::s3:List*]',
      'IAM5[Action::s3:Abort*]',
      'IAM5[Action::s3:DeleteObject*]',
      `IAM5[Resource::arn:<AWS::Partition>:s3:::${assets}/*]`,
      `IAM5[Resource::<${bucket.join('.')}>/*]`,
      'IAM5[Resource::*]',
    ].map((finding) => `AwsSolutions-${finding}`);
  }
}

/** As the API says it. */
const notFound = {
  type: 'urn:headcount:problem:route.not_found',
  title: 'Not Found',
  status: 404,
  detail: 'There is nothing at this path.',
  code: 'route.not_found',
};
