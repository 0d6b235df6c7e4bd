import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findDynamoDbLocal } from './test/support/dynamodb-local.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * These change what a process has once, as its environment, or start what reads it, or weigh the process itself. All other
 * files share processes, one after the other: to start one and read the SDK or CDK again costs seconds.
 */
const alone = [
  'test/api/handler.test.ts',
  'test/contract/broker.test.ts',
  'test/core/authorizer-outage.test.ts',
  'test/frontdoor/{failures,load,memory,streams}.test.ts',
  'test/infra/{deployed,front-door-process,synth}.test.ts',
  'test/local/data-dir.test.ts',
  'test/unit/{authorizer-rejections,signed-request}.test.ts',
];
const ownProcess: TestProjectConfiguration = { extends: true, test: { name: 'own process', include: alone } };
const sharedProcess: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'shared process',
    include: ['test/**/*.test.ts'],
    exclude: alone,
    isolate: false,
    // Requests by the thousand leave short-lived objects: a larger nursery spares the collector a tenth of the time.
    execArgv: ['--max-semi-space-size=64'],
  },
};
/** The contract suites a second time, where AWS's own engine is found: no engine teaches us its quirks. */
const contracts: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'dynamodb-local',
    include: ['test/contract/**/*.test.ts'],
    // These need no database.
    exclude: ['test/contract/broker.test.ts', 'test/contract/both-engines.test.ts'],
    env: { TEST_ENGINE: 'dynamodb-local' },
  },
};

export default defineConfig({
  test: {
    projects: [ownProcess, sharedProcess, ...('folder' in findDynamoDbLocal(process.env) ? [contracts] : [])],
    // Whoever asks for any order gets it.
    ...(process.argv.some((word) => word.startsWith('--sequence.shuffle'))
      ? {}
      : { sequence: { sequencer: LongestFirst } }),
    // Processes, not threads: suites start engines and servers of their own, and a crash must name its file.
    pool: 'forks',
    maxWorkers: 3,
    // The SDK's reminder that newer Node versions are coming would drown what tests print.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    // Bounds, not promises: a busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // An empty run is a broken run.
    passWithNoTests: false,
    allowOnly: false,
    reporters: ['default'],
  },
});
