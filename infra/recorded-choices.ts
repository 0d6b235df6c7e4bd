// The record of what an installation chose, in the stack that every deployment begins with. An update that would drop a
// choice fails there, before any other stack is touched.

import { CfnOutput, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { BundledFunction } from './bundled-function.ts';
import type { Installation } from './installation.ts';

/** AWS names no bound for an output's value. A parameter's, which may take its place, is 4,096 bytes. */
const maxOutputLength = 4_000;

export class RecordedChoices extends Construct {
  constructor(scope: Construct, id: string, { recorded, dropped }: Pick<Installation, 'recorded' | 'dropped'>) {
    super(scope, id);
    const compare = new BundledFunction(this, 'Compare', {
      name: 'choices',
      description: 'Refuses a deployment that would drop a recorded choice',
      environment: {},
      // 25 s for the work and 30 s for the answer (shared/adapters/aws/custom-resource.ts).
      timeoutSeconds: 60,
      memoryMb: 256,
    });
    const stack = Stack.of(this);
    // A rollback is no deployment, and only the stack's status tells the one from the other.
    compare.ownRole.addToPolicy(
      new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
    );
    new CustomResource(this, 'Record', {
      resourceType: 'Custom::HeadcountChoices',
      serviceToken: compare.functionArn,
      serviceTimeout: Duration.minutes(5),
      // As text, since CloudFormation turns numbers and booleans into text at any depth.
      properties: { Choices: JSON.stringify(recorded), Dropped: JSON.stringify(dropped) },
    });
    const file = JSON.stringify(asFile(recorded));
    for (let part = 0; part * maxOutputLength < file.length; part += 1) {
      const output = new CfnOutput(this, `File${part}`, {
        description: 'What this installation chose, as a choices file in one or more parts (docs/deploy.md)',
        value: file.slice(part * maxOutputLength, (part + 1) * maxOutputLength),
      });
      output.overrideLogicalId(part === 0 ? 'Choices' : `Choices${part + 1}`);
    }
  }
}

/** The choices file that would give the same record. */
export function asFile(recorded: Installation['recorded']): Readonly<Record<string, unknown>> {
  const file: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(recorded)) {
    const [kind = name, member] = name.split('.');
    file[kind] = member === undefined ? value : { ...(file[kind] as object | undefined), [member]: value };
  }
  return file;
}
