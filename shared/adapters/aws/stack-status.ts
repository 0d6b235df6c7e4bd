// What CloudFormation is doing with a stack. A custom resource's event does not say: a rollback sends an Update like any
// other. [AWS: DescribeStacks]

import type { Pause } from '../../ports/common/clock.ts';
import { type LambdaCredentials, readLambdaCredentials } from './lambda-credentials.ts';
import { signHeaders } from './signed-request.ts';

const tries = 4;
const timeoutMs = 3_000;

/**
 * Whether the stack goes back to what it was before an update. Four tries within 18 s, since all of an account share the
 * rate of this call. Throws where there is no answer; the error holds nothing of the request.
 */
export async function isRollingBack(
  stackId: string,
  pause: Pause,
  credentials: () => LambdaCredentials = readLambdaCredentials,
): Promise<boolean> {
  for (let made = 1; ; made += 1) {
    try {
      return (await readStatus(stackId, credentials())).endsWith('ROLLBACK_IN_PROGRESS');
    } catch (error) {
      if (made === tries) throw error;
      await pause(1_000 * made);
    }
  }
}

/** As `UPDATE_IN_PROGRESS`. */
async function readStatus(stackId: string, credentials: LambdaCredentials): Promise<string> {
  const [, partition, , region = ''] = stackId.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  // The variable is the SDK's own, for services that stand for AWS.
  const url = new URL(process.env.AWS_ENDPOINT_URL ?? `https://cloudformation.${region}.${suffix}`);
  const body = new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName: stackId }).toString();
  const headers = { host: url.host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const signed = signHeaders({ service: 'cloudformation', region }, headers, body, credentials, new Date());
  const { host: _sentByFetch, ...sent } = signed;
  const answer = await fetch(url, {
    method: 'POST',
    headers: sent,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  // The answer is XML, and of one stack only.
  const [, status] = /<StackStatus>(\w+)<\/StackStatus>/.exec(await answer.text()) ?? [];
  if (answer.status !== 200 || status === undefined) throw new Error(`DescribeStacks answered ${answer.status}`);
  return status;
}
