// What a CDK app of another's imports from the package `headcount`: constructs, and nothing that reads a context or a file
// of this repository. docs/deploy.md shows an app of 20 lines.

// biome-ignore-all lint/performance/noBarrelFile: a package has one entry.

export { EndpointName } from './endpoint-name.ts';
export { HeadcountConsole, type HeadcountConsoleProps } from './headcount-console.ts';
export { HeadcountCore, type HeadcountCoreProps } from './headcount-core.ts';
export { HeadcountState, type HeadcountStateProps } from './headcount-state.ts';
export { HeadcountWeb, type HeadcountWebProps } from './headcount-web.ts';
export type { OwnName, RestoredTable } from './installation.ts';
export type { MachineClient } from './machine-clients.ts';
