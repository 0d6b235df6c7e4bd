// The functions as they would be deployed: bundled by the stack itself, given the variables that the template gives
// them, and run under Node in a process that has nothing else of this repository.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App } from 'aws-cdk-lib';
import { addStacks } from '../../../infra/stacks.ts';

export interface Deployed {
  /** Logical ids less their hash, with the file and the names of the variables. */
  readonly functions: ReadonlyMap<string, DeployedFunction>;
  /** The front door's code and the script that loads it, where there is one. */
  readonly templates: Readonly<Record<string, Template>>;
  readonly folder: string;
  remove(): void;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, string>>;
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

export interface DeployedFunction {
  readonly bundle: string;
  readonly variables: readonly string[];
}

const stackNames = ['Headcount', 'HeadcountState', 'HeadcountWeb', 'HeadcountFrontDoor'];

export function synthesize(chosen: Readonly<Record<string, unknown>> = {}): Deployed {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-deployed-'));
  const { context }: { context: object } = JSON.parse(
    readFileSync(new URL('../../../cdk.json', import.meta.url), 'utf8'),
  );
  const app = new App({ outdir: folder, context: { ...context, ...chosen, 'aws:cdk:enable-asset-metadata': true } });
  addStacks(app);
  app.synth();
  const fileOf = (name: string): string => join(folder, `${name}.template.json`);
  const templates = Object.fromEntries(
    stackNames
      .filter((name) => existsSync(fileOf(name)))
      .map((name) => [name, JSON.parse(readFileSync(fileOf(name), 'utf8')) as Template]),
  );
  const functions = [templates.Headcount, templates.HeadcountFrontDoor]
    .flatMap((template) => Object.entries(template?.Resources ?? {}))
    .filter(([, resource]) => resource.Type === 'AWS::Lambda::Function')
    .map(([id, { Properties, Metadata }]) => {
      const { Variables } = Properties.Environment as { readonly Variables: object };
      const bundle = join(folder, Metadata?.['aws:asset:path'] ?? '', 'index.mjs');
      return [id.replace(/[0-9A-F]{8}$/, ''), { bundle, variables: Object.keys(Variables) }] as const;
    });
  return {
    functions: new Map(functions),
    templates,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface RunningFunction {
  /** One invocation; rejects where the handler does. */
  invoke(event: unknown): Promise<unknown>;
  /** Lines that it logged. */
  readonly logged: string[];
  stop(): Promise<void>;
}

export const account = '111111111111';
export const region = 'eu-central-1';

/** What Lambda does around a handler, as far as one of ours could notice. */
const runtime = `
const { handler } = await import(process.argv[1]);
const context = {
  invokedFunctionArn: 'arn:aws:lambda:${region}:${account}:function:of-the-test',
  getRemainingTimeInMillis: () => 50_000,
};
process.on('message', async ({ id, event }) => {
  try {
    process.send({ id, result: await handler(event, context) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.send({ id: 'ready' });
`;

interface Reply {
  readonly id: number | 'ready';
  readonly result?: unknown;
  readonly error?: string;
}

/** \`known\` has the value of every variable that the template may name. */
export async function run(
  deployed: DeployedFunction,
  endpoint: string,
  known: Readonly<Record<string, string>>,
): Promise<RunningFunction> {
  const variables = deployed.variables.map((name) => {
    const value = known[name];
    if (value === undefined) throw new Error(`the test has no value for ${name}`);
    return [name, value] as const;
  });
  const child: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module', '-e', runtime, pathToFileURL(deployed.bundle).href],
    {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...Object.fromEntries(variables),
        PATH: process.env.PATH,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_SESSION_TOKEN: 'test',
        AWS_ENDPOINT_URL: endpoint,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    },
  );
  const logged: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) =>
      logged.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line !== ''),
      ),
    );
  const waiting = new Map<Reply['id'], (reply: Reply) => void>();
  const replyTo = (id: Reply['id']): Promise<Reply> =>
    new Promise((resolve) => {
      waiting.set(id, resolve);
    });
  child.on('message', (reply: Reply) => waiting.get(reply.id)?.(reply));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void gone.then(() => {
    for (const [id, settle] of waiting) settle({ id, error: `the function's process ended: ${logged.join('\n')}` });
  });
  const ready = await replyTo('ready');
  if (ready.error !== undefined) throw new Error(ready.error);
  let last = 0;
  return {
    async invoke(event) {
      last += 1;
      const reply = replyTo(last);
      child.send({ id: last, event });
      const { result, error } = await reply;
      if (error !== undefined) throw new Error(error);
      return result;
    },
    logged,
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
