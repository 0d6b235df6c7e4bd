// The stacks as they are deployed, with the feature flags of cdk.json, for template assertions.

import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks } from '../../infra/stacks.ts';

interface CdkJson {
  readonly context: Readonly<Record<string, unknown>>;
}

/** Templates only: `aws:cdk:bundling-stacks: []` leaves the functions' code out. */
export function buildApp(): App {
  const { context }: CdkJson = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  return new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
}

export function synthTemplates(): { readonly stateful: Template; readonly stateless: Template } {
  const { stateful, stateless } = addStacks(buildApp());
  return { stateful: Template.fromStack(stateful), stateless: Template.fromStack(stateless) };
}
