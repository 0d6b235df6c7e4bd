// What a CDK app imports from the package `headcount`: constructs that take props, and read no context and no file of this
// repository. docs/deploy.md shows an app.

// biome-ignore-all lint/performance/noBarrelFile: a package has one entry.

export { EndpointName } from './endpoint-name.ts';
export { HeadcountConsole, type HeadcountConsoleProps } from './headcount-console.ts';
export { HeadcountCore, type HeadcountCoreProps } from './headcount-core.ts';
export { type FrontDoorTarget, HeadcountFrontDoor, type HeadcountFrontDoorProps } from './headcount-front-door.ts';
export { HeadcountState, type HeadcountStateProps } from './headcount-state.ts';
export { HeadcountWeb, type HeadcountWebProps } from './headcount-web.ts';
export type { OwnName, RestoredTable } from './installation.ts';
export type { MachineClient } from './machine-clients.ts';
