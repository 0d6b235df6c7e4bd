// What a CDK app of another's imports from the package `headcount`: constructs, and nothing that reads a context or a file
// of this repository. docs/deploy.md shows an app of 20 lines.

// biome-ignore-all lint/performance/noBarrelFile: a package has one entry.

export { FrontDoorStack } from './front-door-stack.ts';
export { StatefulStack } from './stateful-stack.ts';
export { StatelessStack } from './stateless-stack.ts';
export { WebStack } from './web-stack.ts';
