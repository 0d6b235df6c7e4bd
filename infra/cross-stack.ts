// How a stack reads what another one has: by `Fn::GetStackOutput`, when it is deployed itself. An export could not be
// changed while another stack reads it, so a new name of the endpoint, or a restored table, would be stuck.

import { CfnResource, CrossStackReferences, ReferenceStrength } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Once a construct has all its resources: other stacks refer to them without exports, whatever the flags of the app. */
export function exportNothing(construct: Construct): void {
  for (const each of construct.node.findAll())
    if (CfnResource.isCfnResource(each)) CrossStackReferences.of(each).produce(ReferenceStrength.WEAK);
}
