// The package as npm packs it, installed outside of this repository, and the CDK app that docs/deploy.md shows. It needs no
// network and nothing of npm's cache: the peers are links to this repository's copies.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environmentOf } from '../../shared/config/env.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const peers = ['aws-cdk-lib', 'constructs'];
/** The stacks of this repository record their choices; an app has its own in code. */
const functionNames = Object.keys(environmentOf).filter((name) => name !== 'choices');

/** Of which a failure prints a line, not a bundle. */
const digestOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

interface Resource {
  readonly Type: string;
  readonly Properties: { readonly Code?: { readonly S3Key?: string }; readonly ContainerDefinitions?: unknown };
}

function exampleOfTheDocs(): string {
  const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8');
  const [, example] = /^## Embed .*?^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  if (example === undefined) throw new Error('docs/deploy.md shows no app');
  return example;
}

describe('the package, in a CDK app of its user', () => {
  let folder = '';
  let installed = '';
  let out = '';
  let resources: readonly Resource[] = [];

  /** Nothing of this machine's npm, and nothing of a run of npm around this one. */
  const npm = (cwd: string, ...words: string[]) => {
    const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|AWS_|CDK_)/i.test(name));
    const own = { HOME: folder, npm_config_cache: join(folder, 'cache'), npm_config_update_notifier: 'false' };
    return run('npm', [...words, '--offline', '--no-audit', '--no-fund'], {
      cwd,
      env: { ...Object.fromEntries(kept), ...own },
      maxBuffer: 16 * 1024 * 1024,
    });
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headcount-package-'));
    const app = join(folder, 'app');
    mkdirSync(app);
    await npm(root, 'pack', '--pack-destination', folder);
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(app, 'package.json'), '{ "private": true }');
    // The peers' own packages would come from the network.
    await npm(app, 'install', '--legacy-peer-deps', `../${tarball}`);
    installed = join(app, 'node_modules/headcount');
    for (const name of [...peers, '@types/node']) {
      mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
    }
    // One text, as an ES module and as CommonJS: `cdk init` makes apps of both kinds.
    const example = exampleOfTheDocs();
    for (const [format, kind] of [['esm', 'm'] as const, ['cjs', 'c'] as const]) {
      writeFileSync(join(app, `app.${kind}ts`), example);
      writeFileSync(join(app, `app.${kind}js`), transformSync(example, { loader: 'ts', format }).code);
    }
    // No flag of cdk.json. The validator takes most of the time, and `npm run synth` runs it.
    const CDK_CONTEXT_JSON = JSON.stringify({ '@aws-cdk/core:validateAgainstDefaultRules': false });
    const synthesize = (file: string, CDK_OUTDIR: string) =>
      run(process.execPath, [file], { cwd: app, env: { PATH: process.env.PATH, CDK_OUTDIR, CDK_CONTEXT_JSON } });
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
    out = join(app, 'out');
    await Promise.all([
      run(process.execPath, [tsc, ...options, 'app.mts', 'app.cts'], { cwd: app }),
      synthesize('app.mjs', out),
      synthesize('app.cjs', `${out}-required`),
    ]);
    resources = Object.values(readJson(join(out, 'Fleet.template.json')).Resources);
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('installs nothing but itself, beside peers of which the oldest is the one tested here', () => {
    expect(Object.keys(readJson(join(installed, '../../package-lock.json')).packages)).toEqual([
      '',
      'node_modules/headcount',
    ]);
    const { peerDependencies } = readJson(join(installed, 'package.json'));
    const { devDependencies } = readJson(join(root, 'package.json'));
    const cdk = readJson(join(root, 'node_modules/aws-cdk-lib/package.json'));
    expect(peerDependencies).toEqual({
      'aws-cdk-lib': `^${devDependencies['aws-cdk-lib']}`,
      constructs: cdk.peerDependencies.constructs,
    });
  });

  test('knows no place of the repository that it was built in', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(functionNames.length);
    const telling = files.filter((file) => readFileSync(join(file.parentPath, file.name)).includes(root));
    expect(telling.map(({ name }) => name)).toEqual([]);
  });

  test('synthesizes a state stack, and one that decides about each CONNECT', () => {
    const types = resources.map(({ Type }) => Type);
    for (const type of [
      'AWS::IoT::Authorizer',
      'AWS::ApiGatewayV2::Api',
      'AWS::CloudFront::Distribution',
      'AWS::ECS::Service',
    ])
      expect(types).toContain(type);
    const state: { Resources: Record<string, Resource>; Outputs: object } = readJson(
      join(out, 'FleetState.template.json'),
    );
    expect(Object.values(state.Resources).map(({ Type }) => Type)).toContain('AWS::DynamoDB::Table');
    // CloudFormation would refuse to change an export that the other stack reads.
    expect(JSON.stringify(state.Outputs)).not.toContain('Export');
  });

  test('is required as it is imported', () => {
    for (const stack of ['Fleet', 'FleetState']) {
      const file = `${stack}.template.json`;
      expect(readJson(join(`${out}-required`, file))).toEqual(readJson(join(out, file)));
    }
  });

  test('uploads each function as it was packed, one file with a handler', async () => {
    const { files } = readJson(join(out, 'Fleet.assets.json'));
    const uploaded = resources
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .map(({ Properties }) => files[(Properties.Code?.S3Key ?? '').replace('.zip', '')]?.source.path)
      .filter((path) => path !== undefined)
      .flatMap((path) => readdirSync(join(out, path)).map((file) => join(out, path, file)))
      .filter((file) => file.endsWith('index.mjs'));
    const packed = functionNames.map((name) => join(installed, 'dist/functions', name, 'index.mjs'));
    expect(uploaded.map(digestOf).toSorted()).toEqual(packed.map(digestOf).toSorted());

    const urls = packed.map((file) => pathToFileURL(file).href);
    const script = `const kinds = [];
      for (const url of ${JSON.stringify(urls)}) kinds.push(typeof (await import(url)).handler);
      process.stdout.write(kinds.join(), () => process.exit());`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: {
        ...Object.fromEntries(Object.values(environmentOf).flatMap((names) => names.map((name) => [name, 'none']))),
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'none',
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      },
    });
    expect(stdout.split('\n').at(-1)).toBe(functionNames.map(() => 'function').join());
  });

  test("uploads the front door's code and the console as they were packed", () => {
    const { files } = readJson(join(out, 'Fleet.assets.json'));
    const paths: string[] = Object.values(files).map((file) => (file as { source: { path: string } }).source.path);
    const tasks = paths.filter((path) => path.endsWith('.mjs')).map((path) => join(out, path));
    expect(tasks.map(digestOf)).toEqual([digestOf(join(installed, 'dist/frontdoor/main.mjs'))]);
    const folders = paths.map((path) => join(out, path)).filter((path) => statSync(path).isDirectory());
    const listed = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
    const pages = folders.map(listed).filter((names) => names.includes('index.html'));
    expect(pages).toEqual([listed(join(installed, 'dist/console'))]);
  });
});
