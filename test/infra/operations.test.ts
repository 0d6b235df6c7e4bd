// What goes on in the background: its queue, and the worker that reads it.

import { expect, test } from 'vitest';
import { kicksPerSecond, operationWorkers } from '../../shared/config/constants.ts';
import { propertiesOf, render } from './grants.ts';
import { synthTemplates } from './synth.ts';

const { core } = synthTemplates();

test('all workers together leave a part of the 100 DeleteConnection calls a second to who kicks one client', () => {
  core.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    BatchSize: 1,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: operationWorkers },
  });
  expect(operationWorkers * kicksPerSecond).toBeLessThanOrEqual(80);
});

test('a message is hidden for longer than a worker takes, and ends in the dead-letter queue', () => {
  const queue = propertiesOf(core, 'AWS::SQS::Queue', 'OperationsQueue');
  const worker = propertiesOf(core, 'AWS::Lambda::Function', 'OperationsWorker');
  expect(Number(queue.VisibilityTimeout)).toBeGreaterThanOrEqual(Number(worker.Timeout) * 6);
  const redrive = queue.RedrivePolicy as { deadLetterTargetArn: unknown };
  expect(render(redrive.deadLetterTargetArn)).toBe('OperationsDeadLetters.Arn');
});

test('once a minute the worker looks for operations that nobody is at', () => {
  const rule = propertiesOf(core, 'AWS::Events::Rule', 'OperationsEveryMinute');
  expect(rule).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  const [target] = rule.Targets as readonly { readonly Arn: unknown; readonly Input: string }[];
  expect(render(target?.Arn)).toBe('OperationsWorker.Arn');
  expect(JSON.parse(target?.Input ?? '')).toEqual({ lookForOverdue: true });
});

test.each(['OperationsQueue', 'OperationsDeadLetters'])('%s is encrypted and refuses plain HTTP', (id) => {
  expect(propertiesOf(core, 'AWS::SQS::Queue', id).SqsManagedSseEnabled).toBe(true);
  expect(propertiesOf(core, 'AWS::SQS::QueuePolicy', `${id}Policy`).PolicyDocument).toMatchObject({
    Statement: [{ Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
  });
});
