// The stacks as they are deployed, with the feature flags of cdk.json, for template assertions.

import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks } from '../../infra/stacks.ts';

interface CdkJson {
  readonly context: Readonly<Record<string, unknown>>;
}

/** Templates only: `aws:cdk:bundling-stacks: []` leaves the functions' code out. `chosen` is what `-c` would give. */
export function buildApp(chosen: Readonly<Record<string, unknown>> = {}): App {
  const { context }: CdkJson = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  // Whether the console has been built on this machine must make no difference.
  const nowhere = { consoleFolder: '/nowhere' };
  return new App({ context: { ...context, ...nowhere, ...chosen, 'aws:cdk:bundling-stacks': [] } });
}

export interface Templates {
  readonly state: Template;
  readonly core: Template;
  readonly web: Template;
  readonly frontDoor: Template | undefined;
  readonly console: Template | undefined;
}

/** What it takes to get a front door. */
export const withFrontDoor = {
  frontDoor: 'true',
  mqttDomain: 'mqtt.example.com',
  mqttCertificateSecretArn: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:mqtt-abcdef',
};

/** By what was chosen: to write them takes a second each time, and they are only read. */
const written = new Map<string, Templates>();

export function synthTemplates(chosen: Readonly<Record<string, unknown>> = {}): Templates {
  const key = JSON.stringify(chosen);
  const templates = written.get(key) ?? writeTemplates(chosen);
  written.set(key, templates);
  return templates;
}

function writeTemplates(chosen: Readonly<Record<string, unknown>>): Templates {
  const { state, core, web, frontDoor, console } = addStacks(buildApp(chosen));
  return {
    state: Template.fromStack(state),
    core: Template.fromStack(core),
    web: Template.fromStack(web),
    frontDoor: frontDoor === undefined ? undefined : Template.fromStack(frontDoor),
    console: console === undefined ? undefined : Template.fromStack(console),
  };
}
