// Entry of `cdk synth` and `cdk deploy`.

import { App } from 'aws-cdk-lib';
import { ChoiceError } from './choice-error.ts';
import { readChoicesFile } from './choices-file.ts';
import { addStacks } from './stacks.ts';

try {
  addStacks(new App(), readChoicesFile());
} catch (error) {
  // What is wrong with a choice is for the operator, who has no use for the place in this code that found it.
  if (!(error instanceof ChoiceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
