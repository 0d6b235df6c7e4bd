import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { addStacks } from '../../infra/stacks.ts';
import { buildApp, withFrontDoor } from './synth.ts';

test('no finding is unacknowledged, with everything there is, in an account with a bootstrap qualifier of its own', () => {
  const consoleFolder = mkdtempSync(join(tmpdir(), 'headcount-console-'));
  writeFileSync(join(consoleFolder, 'index.html'), '<!doctype html>');
  const app = buildApp({ ...withFrontDoor, consoleFolder, '@aws-cdk/core:bootstrapQualifier': 'ours' });
  addStacks(app);
  expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  rmSync(consoleFolder, { recursive: true });
});

test('the checks find what is wrong', () => {
  const app = buildApp();
  addStacks(app);
  new Bucket(new Stack(app, 'Planted'), 'Open');
  const found = new AwsSolutionsChecks(app).validateScope(app).violations.map((violation) => violation.ruleName);
  expect(found).toContain('AwsSolutions-S10');
});

interface Acknowledgement {
  readonly path: string;
  readonly rule: string;
  readonly reason: string;
}

function acknowledgementsOf(construct: IConstruct): readonly Acknowledgement[] {
  const own = construct.node.metadata
    .filter((entry) => entry.type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap((entry) => Object.entries(entry.data as Readonly<Record<string, string>>))
    .map(([id, reason]) => ({ path: construct.node.path, rule: id.replace(/^Annotation::/, ''), reason }));
  // CDK's own constructs say of themselves which checks of CloudFormation they need not pass.
  const ours = own.filter(({ rule }) => !rule.startsWith('CloudFormation-Validate::'));
  return [...ours, ...construct.node.children.flatMap(acknowledgementsOf)];
}

test('these findings are acknowledged and no others, each with its reason', () => {
  const app = buildApp(withFrontDoor);
  addStacks(app);
  const acknowledged = acknowledgementsOf(app);
  const anyClient = 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:client/*:*]';
  expect(acknowledged.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
    'HeadcountState/Default/TicketSecret AwsSolutions-SMG4',
    'HeadcountState/Default/PasswordKeysSecret AwsSolutions-SMG4',
    'HeadcountState/Default/SignIn/Pool AwsSolutions-COG8',
    `Headcount/Default/AuthorizerRole ${anyClient}`,
    `Headcount/Default/PresenceFunctionRole ${anyClient}`,
    `Headcount/Default/SweeperRole ${anyClient}`,
    `Headcount/Default/ReconcilerRole ${anyClient}`,
    `Headcount/Default/Operations/WorkerRole ${anyClient}`,
    `Headcount/Default/ApiRole ${anyClient}`,
    'HeadcountWeb/Default/Http/Api/GET--healthz AwsSolutions-APIG4',
    'HeadcountWeb/Default/Http/Api/GET--openapi.json AwsSolutions-APIG4',
    'HeadcountWeb/Default/Http/Api/GET--docs AwsSolutions-APIG4',
    'HeadcountWeb/Endpoint/Ask AwsSolutions-IAM5[Resource::*]',
    'HeadcountFrontDoor/Default/TaskRole AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]',
    `HeadcountFrontDoor/Default/TaskRole ${anyClient}`,
    'HeadcountFrontDoor/Default/Task AwsSolutions-ECS2',
    'HeadcountFrontDoor/Default/BalancerGroup AwsSolutions-EC23',
    'HeadcountFrontDoor/Default/Rollout/FunctionRole AwsSolutions-IAM5[Resource::*]',
    'HeadcountFrontDoor/Default/Balancer AwsSolutions-ELB2',
    'HeadcountFrontDoor/Default/Balancer/Mqtts AwsSolutions-ELB5',
    'HeadcountConsole/Default/Http/Api/GET--healthz AwsSolutions-APIG4',
    'HeadcountConsole/Default/Http/Api/GET--openapi.json AwsSolutions-APIG4',
    'HeadcountConsole/Default/Http/Api/GET--docs AwsSolutions-APIG4',
    'HeadcountConsole/Default/Console/Files AwsSolutions-S1',
    'HeadcountConsole/Default/Console/Distribution AwsSolutions-CFR1',
    'HeadcountConsole/Default/Console/Distribution AwsSolutions-CFR2',
    'HeadcountConsole/Default/Console/Distribution AwsSolutions-CFR3',
    'HeadcountConsole/Default/Console/Distribution AwsSolutions-CFR4',
  ]);
  for (const { reason } of acknowledged) expect(reason.length).toBeGreaterThan(40);
});
