// Entry of `cdk synth` and `cdk deploy`.

import { App } from 'aws-cdk-lib';
import { readChoicesFile } from './choices-file.ts';
import { addStacks } from './stacks.ts';

addStacks(new App(), readChoicesFile());
