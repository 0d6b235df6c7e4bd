// What an installation may choose, and that nothing else than was meant is ever deployed.

import { App } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { readInstallation } from '../../infra/installation.ts';

const read = (context: Record<string, unknown>) => readInstallation(new App({ context }).node);

test('a choice that is misspelt ends the synthesis, and is named with those that there are', () => {
  expect(() => read({ frontDor: 'true' })).toThrow(/no choice is named frontDor; those that there are: .*frontDoor/);
});

test('what CDK and its CLI keep in the context is none of the choices', () => {
  const ofCdk = { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:checkSecretUsage': true, 'cli-telemetry': false };
  expect(read({ ...ofCdk, 'availability-zones:account=1:region=eu': [] })).toEqual({
    authorizerConcurrency: 500,
    console: true,
    machineClients: [],
  });
});
