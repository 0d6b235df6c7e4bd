// Where constructs get the code that they upload. This file serves this repository, and bundles from source at each
// synthesis. The package has ready-code.ts in its place (scripts/build-package.ts).

import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../shared/config/env.ts';
import { bundleFrontDoor, bundleFunction } from './bundle.ts';

export interface TaskCode {
  /** One file, ready to be uploaded. */
  readonly path: string;
  readonly sha256: string;
  /** The script that fetches it, checks it and runs it. */
  readonly loader: string;
}

const repository = fileURLToPath(new URL('..', import.meta.url));

/** The console's build; `npm run build:console` makes it. */
export const consoleFolder = join(repository, 'console/dist');

export function functionCode(name: FunctionName): AssetCode {
  return Code.fromAsset(join(repository, 'functions', name), {
    // The bytes decide whether a deployment changes a function.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK requires an image, and pulls none while a local bundler answers.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(folder) {
          for (const { name: file, contents } of bundleFunction(name)) writeFileSync(join(folder, file), contents);
          return true;
        },
      },
    },
  });
}

export function frontDoorCode(): TaskCode {
  const { code, loader } = bundleFrontDoor();
  const path = join(mkdtempSync(join(tmpdir(), 'headcount-frontdoor-')), 'main.mjs');
  writeFileSync(path, code);
  return {
    path,
    sha256: createHash('sha256').update(code).digest('hex'),
    loader: new TextDecoder().decode(loader),
  };
}
