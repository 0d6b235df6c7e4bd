// The installations that tests of templates look at: together they make each choice at least once. Each is synthesized as a
// deployment would be, and all of its stacks are there by name, also those that a later release adds.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { addStacks } from '../../infra/stacks.ts';

import { buildApp, withFrontDoor } from './synth.ts';
import type { Template, Templates } from './template.ts';

const arn = (service: string, region: string, name: string): string =>
  `arn:aws:${service}:${region}:111111111111:${name}`;

const choices = {
  default: {},
  'front door, every other choice': {
    ...withFrontDoor,
    connectDomain: 'connect.example.com',
    connectCertificateArn: arn('acm', 'eu-central-1', 'certificate/one'),
    consoleDomain: 'console.example.com',
    consoleCertificateArn: arn('acm', 'us-east-1', 'certificate/two'),
    machineClients: 'acme-ci:settings:read+settings:write',
    noticeBus: 'default',
    reserve: 'false',
    frontDoorMinTasks: '20',
    frontDoorMaxTasks: '100',
  },
  'front door, restored table, no console': {
    ...withFrontDoor,
    console: 'false',
    restoredTable: 'restored',
  },
} as const;

export type VariantName = keyof typeof choices;
export const variantNames = Object.keys(choices) as readonly VariantName[];

export interface Synthesized {
  readonly templates: Templates;
  /** What CDK's own validator says, warnings too. It holds patterns, lengths and bounds. */
  readonly findings: readonly string[];
}

const synthesized = new Map<VariantName, Synthesized>();

/** To write them takes seconds, and they are only read. */
export function synthesizeVariant(name: VariantName): Synthesized {
  const found = synthesized.get(name) ?? synthesizeApp(appOf(name));
  synthesized.set(name, found);
  return found;
}

function appOf(name: VariantName): App {
  const app = buildApp({ ...choices[name], consoleFolder: builtConsole() });
  addStacks(app);
  return app;
}

let consoleFolder: string | undefined;

/** With files, so that what copies them is in the templates. */
function builtConsole(): string {
  if (consoleFolder === undefined) {
    consoleFolder = mkdtempSync(join(tmpdir(), 'headcount-console-'));
    writeFileSync(join(consoleFolder, 'index.html'), '<!doctype html>');
  }
  return consoleFolder;
}

interface ValidationReport {
  readonly pluginReports: readonly {
    readonly violations: readonly { readonly ruleName: string; readonly description: string }[];
  }[];
}

/** Throws where CDK's own validator finds an error. */
export function synthesizeApp(app: App): Synthesized {
  const { stacks, directory } = app.synth();
  const report: ValidationReport = JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8'));
  return {
    templates: new Map(stacks.map(({ stackName, template }) => [stackName, template as Template])),
    findings: report.pluginReports.flatMap(({ violations }) =>
      violations.map(({ ruleName, description }) => `${ruleName} ${description}`),
    ),
  };
}
