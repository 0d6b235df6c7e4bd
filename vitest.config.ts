import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
