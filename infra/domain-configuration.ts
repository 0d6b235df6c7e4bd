import type { Stack } from 'aws-cdk-lib';

/**
 * What to allow for a question about a domain configuration. AWS publishes two forms of its ARN, `…/<name>/<id>` and
 * `…/<name>`, and does not say which of them a request is held against.
 */
export function domainConfigurationArns(stack: Stack, name: string, arnWithId: string): string[] {
  return [arnWithId, stack.formatArn({ service: 'iot', resource: 'domainconfiguration', resourceName: name })];
}
