// Who may import whom. Dependencies point one way: domain <- ports <- app <- adapters <- core <- functions.

import { builtinModules } from 'node:module';

export interface Zone {
  /** A folder, or one file. Of several that fit a path, the longest holds. */
  readonly path: string;
  /** Folders and files of this repository that it may import, besides its own. */
  readonly imports: readonly string[];
  /** Packages and `node:` modules that it may import. */
  readonly packages: 'any' | readonly string[];
  /** What it may take types from, and nothing else. */
  readonly types?: readonly string[];
  /** No clock, chance, environment, I/O: time and randomness come through ports. */
  readonly pure: boolean;
}

const pure = { packages: [], pure: true };
const edge = { packages: 'any' as const, pure: false };
const core = ['shared/config', 'shared/domain', 'shared/ports', 'shared/app', 'shared/adapters', 'shared/core/core.ts'];
/** The core of a process that answers CONNECTs. A bundle that takes it takes the cryptography of passwords too. */
const connectCore = 'shared/core/connect.ts';
/** The shapes of IoT Core's event and answer; no code. */
const authorizerEvent = 'functions/authorizer/event.ts';
/** How a handler reads the variables that it is configured by. */
const environment = 'functions/environment.ts';
/** How a handler that knows counts comes to tell of them. */
const notices = 'functions/notices.ts';
/** Whether they may use the table, and the keys of passwords. */
const openData = 'functions/open-data.ts';
const ofFunctions = [...core, authorizerEvent, environment, notices, openData];
/** Pure: what a caller may ask of a deployment and its limits. */
const bodyRules = [
  'shared/app/tenancy/deployment-input.ts',
  'shared/app/settings/session-limit-input.ts',
  'shared/config/constants.ts',
  'shared/domain/ids.ts',
  'shared/domain/settings.ts',
];
const apiSchemas = ['functions/api/schemas.ts', 'functions/api/schemas-tenancy.ts'];
const ofBrowser = ['react', 'react-dom', '@cloudscape-design/components', '@cloudscape-design/global-styles'];
const product = [...core, connectCore, 'functions', 'frontdoor', 'infra'];

const zones: readonly Zone[] = [
  { path: 'shared/config', imports: [], ...pure },
  { path: 'shared/domain', imports: ['shared/config'], ...pure },
  { path: 'shared/ports', imports: ['shared/domain'], ...pure },
  { path: 'shared/app', imports: ['shared/config', 'shared/domain', 'shared/ports'], ...pure },
  { path: 'shared/adapters', imports: ['shared/config', 'shared/domain', 'shared/ports'], ...edge },
  // Requests go to the table without the SDK, of which these take types; one file sends them through it.
  {
    path: 'shared/adapters/dynamodb',
    imports: ['shared/config', 'shared/domain', 'shared/ports', 'shared/adapters/aws'],
    types: ['@aws-sdk/lib-dynamodb'],
    packages: builtinModules.map((name) => `node:${name}`),
    pure: false,
  },
  {
    path: 'shared/adapters/dynamodb/common/sdk-client.ts',
    imports: ['shared/adapters/dynamodb/common'],
    ...edge,
  },
  // The one place that knows use cases and their adapters. Clock and chance come from the caller, AWS never.
  {
    path: 'shared/core',
    imports: [
      'shared/config',
      'shared/domain',
      'shared/ports',
      'shared/app',
      'shared/adapters/dynamodb',
      'shared/adapters/node',
    ],
    packages: [],
    pure: true,
  },
  { path: environment, imports: ['shared/config'], ...edge },
  { path: notices, imports: [...core, environment], ...edge },
  { path: openData, imports: [...core, environment], ...edge },
  { path: 'functions/authorizer', imports: [...ofFunctions, connectCore], ...edge },
  { path: 'functions/presence', imports: ofFunctions, ...edge },
  { path: 'functions/sweeper', imports: ofFunctions, ...edge },
  { path: 'functions/reconciler', imports: ofFunctions, ...edge },
  { path: 'functions/operations', imports: ofFunctions, ...edge },
  { path: 'functions/token-keys', imports: ofFunctions, ...edge },
  { path: 'functions/choices', imports: ofFunctions, ...edge },
  { path: 'functions/rollout', imports: ofFunctions, ...edge },
  { path: 'functions/api', imports: ofFunctions, ...edge },
  { path: 'frontdoor', imports: ['shared/config', 'shared/domain', 'shared/ports'], ...edge },
  // The process of the front door wires adapters to use cases, as a function's handler does.
  { path: 'frontdoor/main.ts', imports: [...core, connectCore, 'frontdoor', environment, openData], ...edge },
  // It fetches that process's code, and is all there is before.
  { path: 'frontdoor/load.ts', imports: ['shared/adapters/aws/signed-request.ts'], ...edge },
  { path: 'infra', imports: ['shared/config'], ...edge },
  // It meets the running product over HTTP only. What a body may hold it knows by the rules that the API reads bodies by.
  { path: 'apply', imports: bodyRules, ...edge },
  // The console meets the product through the API's schema only, and even of that it takes the types.
  { path: 'console', imports: [], packages: ofBrowser, pure: false },
  { path: 'console/client', imports: [], types: [...apiSchemas, 'zod'], packages: [], pure: false },
  { path: 'console/vite.config.ts', imports: [], packages: ['vite', '@vitejs/plugin-react'], pure: false },
  // Pictures of the running product: it starts what `npm start` starts, and the browser that tests use.
  { path: 'console/screenshots.ts', imports: [...product, 'local', 'test/support'], ...edge },
  { path: 'local', imports: product, ...edge },
  // In simulated time it runs on the engine in memory that tests run on.
  { path: 'bench', imports: [...product, 'local', 'test/support/memory-engine'], ...edge },
  { path: 'test', imports: [...product, 'local', 'bench', 'console', 'apply', 'scripts', 'vitest.config.ts'], ...edge },
  { path: 'scripts', imports: product, ...edge },
  { path: 'vitest.config.ts', imports: ['test/support'], ...edge },
  { path: 'vitest.remote.config.ts', imports: [], ...edge },
];

export function isUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

export function zoneOf(path: string): Zone | undefined {
  return zones.filter((zone) => isUnder(path, zone.path)).sort((a, b) => b.path.length - a.path.length)[0];
}
