import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findDynamoDbLocal } from './test/support/dynamodb-local.ts';

const everything: TestProjectConfiguration = { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } };
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
    projects: [everything, ...('folder' in findDynamoDbLocal(process.env) ? [contracts] : [])],
    // Processes, not threads: suites start engines and servers of their own, and a crash must name its file.
    pool: 'forks',
    maxWorkers: 2,
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
