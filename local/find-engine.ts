// Where the DynamoDB engine of the local run comes from.

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/** The names that dynoxide's npm packages for this platform go by, the plain one first. */
function packageNames(platform: string, arch: string): readonly string[] {
  const name = `@dynoxide/${platform}-${arch}`;
  return [name, `${name}-musl`, `${name}-gnu`, '@dynoxide/dynoxide'];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findInPackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${name}/dynoxide`);
  } catch {
    return undefined;
  }
}

export interface EnginePlaces {
  readonly platform: string;
  readonly arch: string;
  /** Value of PATH. */
  readonly path: string;
}

/** The path of the engine's program; an error that names the ways to get one where there is none. */
export function findEngine({ platform, arch, path }: EnginePlaces): string {
  const candidates = [
    ...packageNames(platform, arch).map(findInPackage),
    ...path.split(delimiter).map((folder) => (folder === '' ? undefined : join(folder, 'dynoxide'))),
  ];
  const found = candidates.find((candidate) => candidate !== undefined && isExecutable(candidate));
  if (found !== undefined) return found;
  throw new Error(
    [
      `no DynamoDB engine found for ${platform}-${arch}. Do one of these:`,
      `  1. install the npm package @dynoxide/${platform}-${arch}, where there is one`,
      '  2. put the program dynoxide on the PATH',
      '  3. set DYNAMODB_ENDPOINT to an engine that runs already, as DynamoDB Local',
    ].join('\n'),
  );
}
