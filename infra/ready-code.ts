// What the package has in the place of code.ts: the files that scripts/build-package.ts made, beside the compiled
// constructs. Nothing is bundled, so the package needs no bundler.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type * as fromSource from './code.ts';

const folder = import.meta.dirname;

export const consoleFolder: typeof fromSource.consoleFolder = join(folder, 'console');

export const functionCode: typeof fromSource.functionCode = (name) => Code.fromAsset(join(folder, 'functions', name));

export const frontDoorCode: typeof fromSource.frontDoorCode = () => {
  const path = join(folder, 'frontdoor/main.mjs');
  return {
    path,
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
    loader: readFileSync(join(folder, 'frontdoor/load.mjs'), 'utf8'),
  };
};
