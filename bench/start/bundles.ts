// The functions as they are deployed: the stacks are built as `npm run synth` builds them, and the bundles lie in its
// output.

import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Bundle {
  /** As the template calls the function. */
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

interface Resource {
  readonly Type: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

/** Into `folder`; without an account and without a network. */
export async function buildFunctions(folder: string): Promise<readonly Bundle[]> {
  const cli = join(repository, 'node_modules/aws-cdk/bin/cdk');
  const output = join(folder, 'cdk.out');
  await promisify(execFile)(process.execPath, [cli, 'synth', '--quiet', '--output', output], {
    cwd: repository,
    env: { ...process.env, CI: 'true' },
    maxBuffer: 16 * 1024 * 1024,
  });
  const template: { Resources: Readonly<Record<string, Resource>> } = JSON.parse(
    readFileSync(join(output, 'Headcount.template.json'), 'utf8'),
  );
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .map(([id, { Metadata }]) => {
      const file = join(output, Metadata?.['aws:asset:path'] ?? '', 'index.mjs');
      // Logical ids end in a hash of eight digits.
      return { name: id.replace(/[0-9A-F]{8}$/, ''), file, bytes: statSync(file).size };
    });
}

/** The AWS SDK's DynamoDB clients and nothing else, bundled alike. */
export async function bundleSdk(folder: string): Promise<Bundle> {
  const name = 'sdk';
  const file = join(folder, `${name}.mjs`);
  await build({
    stdin: {
      contents: `
        import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
        import { BatchGetCommand, DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
        export const commands = [BatchGetCommand, DeleteCommand, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand];
        export const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));`,
      resolveDir: repository,
    },
    bundle: true,
    outfile: file,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return { name, file, bytes: statSync(file).size };
}
